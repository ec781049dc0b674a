//! What packages say of the server is true of it.

use std::path::Path;

use serde_json::Value;
use venice_mcp::config::SETTINGS;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_bundle_names_this_version_and_real_settings() {
    let manifest: Value = serde_json::from_str(&read("packaging/mcpb/manifest.json")).unwrap();
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["name"], env!("CARGO_PKG_NAME"));
    let asked = manifest["user_config"].as_object().unwrap();
    assert_eq!(asked["api_key"]["sensitive"], true);
    for (variable, value) in manifest["server"]["mcp_config"]["env"].as_object().unwrap() {
        assert!(SETTINGS.iter().any(|setting| setting.variable == variable), "{variable}");
        let name = value.as_str().unwrap();
        let name = name.strip_prefix("${user_config.").and_then(|name| name.strip_suffix('}'));
        assert!(asked.contains_key(name.unwrap()), "{value}");
    }
}

#[test]
fn what_was_never_run_says_so() {
    assert!(read(".github/workflows/release.yml").contains("never run"));
    assert!(read("packaging/Dockerfile").contains("has not been built"));
    let dockerfile = read("packaging/Dockerfile");
    let runs_as_root = !dockerfile.contains("\nUSER venice\n");
    assert!(!runs_as_root && dockerfile.contains("/healthz"));
}
