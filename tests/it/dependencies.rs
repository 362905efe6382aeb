//! Checks the lock files: one TLS stack and one HTTP stack, each in one version. `.deny.toml` has the same rules for
//! `cargo deny`, and the allowed licences.

/// Other TLS stacks, and HTTP/2, which no service needs here.
const NEVER: &[&str] = &[
    "aws-lc-rs",
    "aws-lc-sys",
    "h2",
    "native-tls",
    "openssl",
    "openssl-sys",
];

/// Those of which there is one version, and with what it begins.
const ONCE: &[(&str, &str)] = &[
    ("http", "1."),
    ("hyper", "1."),
    ("reqwest", "0.13."),
    ("ring", "0.17."),
    ("rustls", "0.23."),
    ("rustls-webpki", "0.103."),
];

/// The problems of a lock file.
fn wrong(lock: &str) -> Vec<String> {
    let lock: toml::Table = lock.parse().unwrap();
    let of = |name: &str| -> Vec<&str> {
        let packages = lock["package"].as_array().unwrap().iter();
        let named = packages.filter(|package| package["name"].as_str() == Some(name));
        named
            .map(|package| package["version"].as_str().unwrap())
            .collect()
    };
    let mut wrong = Vec::new();
    for name in NEVER {
        if !of(name).is_empty() {
            wrong.push(format!("{name} is there"));
        }
    }
    for (name, version) in ONCE {
        let versions = of(name);
        if versions.len() > 1 || versions.iter().any(|is| !is.starts_with(version)) {
            wrong.push(format!("{name} is there as {versions:?}"));
        }
    }
    wrong
}

#[test]
fn one_tls_stack_and_one_http_stack_are_linked() {
    for lock in [
        include_str!("../../Cargo.lock"),
        include_str!("../dynamodb/Cargo.lock"),
    ] {
        assert_eq!(wrong(lock), Vec::<String>::new());
    }
}

#[test]
fn another_stack_or_version_is_noticed() {
    let lock = r#"
        package = [
            {name = "openssl", version = "0.10.1"},
            {name = "hyper", version = "0.14.30"},
            {name = "http", version = "1.5.0"},
            {name = "http", version = "1.4.0"},
            {name = "rustls", version = "0.23.46"},
        ]
    "#;
    assert_eq!(
        wrong(lock),
        [
            "openssl is there",
            r#"http is there as ["1.5.0", "1.4.0"]"#,
            r#"hyper is there as ["0.14.30"]"#,
        ]
    );
}
