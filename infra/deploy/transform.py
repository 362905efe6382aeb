"""Writes template.yaml as SAM transforms it, as JSON: with every parameter at its default, or as NAME=VALUE arguments say."""

import json
import pathlib
import sys

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
values = {name: parameter.get("Default", "") for name, parameter in template["Parameters"].items()}
for argument in sys.argv[1:]:
    name, value = argument.split("=", 1)
    if name not in values:
        sys.exit(f"transform.py: the template has no parameter {name}")
    # The linter takes the default as the value.
    template["Parameters"][name]["Default"] = values[name] = value
print(json.dumps(transform(template, values, NoManagedPolicies()), indent=1))
