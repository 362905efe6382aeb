"""Writes template.yaml as SAM transforms it, with every parameter at its default, as JSON."""

import json
import pathlib

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """The template names no managed policy by its short name, so none is looked up."""

    def load(self):
        return {}


template = yaml_parse(pathlib.Path("template.yaml").read_text())
for resource in template["Resources"].values():
    properties = resource.get("Properties", {})
    if "CodeUri" in properties:
        properties["CodeUri"] = "s3://bucket/code.zip"
    if resource["Type"] == "AWS::Serverless::Application":
        properties["Location"] = "https://s3.amazonaws.com/bucket/nested.yaml"
defaults = {name: parameter.get("Default", "") for name, parameter in template["Parameters"].items()}
print(json.dumps(transform(template, defaults, NoManagedPolicies()), indent=1))
