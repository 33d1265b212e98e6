//! The proto rules on small contracts: one in order, and one for each rule broken.

use super::*;

const GOOD: &str = r#"syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";
// Sells things.
service ShopService {
  // Finds a thing.
  rpc GetThing(GetThingRequest) returns (GetThingResponse);
}
// Asks for a thing.
message GetThingRequest {
  // Which.
  string id = 1;
}
// Answers a thing.
message GetThingResponse {
  // When it was made.
  google.protobuf.Timestamp create_time = 1;
  // What it is worth, by currency.
  map<string, int64> worth = 2;
  // How it is.
  State state = 3;
  // May be missing.
  optional string note = 4;
}
// How a thing is.
enum State {
  // Not known.
  STATE_UNSPECIFIED = 0;
  // For sale.
  STATE_FOR_SALE = 1;
}
"#;

fn lint(files: &[(&str, &str)]) -> Vec<String> {
    let room = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for (name, text) in files {
        let path = room.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        names.push(PathBuf::from(name));
    }
    let found = judge(room.path(), &names).unwrap();
    found.iter().map(ToString::to_string).collect()
}

/// The good contract with `from` made `to` breaks exactly `rule`.
#[track_caller]
fn breaks(rule: &str, from: &str, to: &str) {
    assert!(GOOD.contains(from), "{from}");
    let found = lint(&[("shop/v1/shop.proto", &GOOD.replace(from, to))]);
    assert_eq!(found.len(), 1, "{rule}: {found:#?}");
    assert!(found[0].ends_with(&format!("({rule})")), "{rule}: {found:#?}");
}

#[test]
fn a_contract_in_order_passes() {
    assert_eq!(lint(&[("shop/v1/shop.proto", GOOD)]), Vec::<String>::new());
}

#[test]
fn names_are_held_to_their_case() {
    breaks("MESSAGE_PASCAL_CASE", "// Asks", "// Odd.\nmessage odd_one {}\n// Asks");
    breaks("FIELD_LOWER_SNAKE_CASE", "create_time", "createTime");
    let small = GOOD.replace("rpc GetThing(", "rpc getThing(");
    assert!(lint(&[("shop/v1/shop.proto", &small)]).iter().any(|line| line.contains("RPC_PASCAL_CASE")));
    breaks("SERVICE_SUFFIX", "ShopService", "Shop");
    breaks("ENUM_VALUE_PREFIX", "STATE_FOR_SALE", "FOR_SALE");
    breaks("ENUM_VALUE_UPPER_SNAKE_CASE", "STATE_FOR_SALE", "STATE_ForSale");
    breaks("ENUM_ZERO_VALUE_SUFFIX", "STATE_UNSPECIFIED", "STATE_UNKNOWN");
}

#[test]
fn everything_has_a_comment_before_it() {
    breaks("COMMENT_RPC", "  // Finds a thing.\n", "");
    breaks("COMMENT_MESSAGE", "// Asks for a thing.\n", "");
    breaks("COMMENT_FIELD", "  // Which.\n", "");
    breaks("COMMENT_SERVICE", "// Sells things.\n", "");
    breaks("COMMENT_ENUM", "// How a thing is.\n", "");
    breaks("COMMENT_ENUM_VALUE", "  // For sale.\n", "");
}

#[test]
fn requests_and_responses_are_each_rpc_s_own() {
    breaks("RPC_REQUEST_STANDARD_NAME", "GetThingRequest", "ThingQuery");
    breaks("RPC_RESPONSE_STANDARD_NAME", "GetThingResponse", "Thing");
    let shared =
        GOOD.replace("  rpc ", "  rpc GetThing2(GetThingRequest) returns (GetThingResponse);\n  // B.\n  rpc ");
    let found = lint(&[("shop/v1/shop.proto", &shared)]);
    assert_eq!(found.iter().filter(|line| line.contains("RPC_REQUEST_RESPONSE_UNIQUE")).count(), 4);
}

#[test]
fn packages_are_versioned_and_lie_in_their_folder() {
    let unversioned = GOOD.replace("shop.v1", "shop");
    assert!(lint(&[("shop/shop.proto", &unversioned)])[0].contains("PACKAGE_VERSION_SUFFIX"));
    assert!(lint(&[("store/v1/shop.proto", GOOD)])[0].contains("PACKAGE_DIRECTORY_MATCH"));
    assert!(lint(&[("shop/v1/theShop.proto", GOOD)])[0].contains("FILE_LOWER_SNAKE_CASE"));
    let none = lint(&[("x.proto", "syntax = \"proto3\";")]);
    assert!(none[0].contains("PACKAGE_DEFINED"), "{none:?}");
}

#[test]
fn imports_are_used_and_plain() {
    breaks(
        "IMPORT_USED",
        "import \"google/protobuf/timestamp.proto\";",
        "import \"google/protobuf/timestamp.proto\";\nimport \"google/protobuf/duration.proto\";",
    );
    breaks("IMPORT_NO_PUBLIC", "import \"google", "import public \"google");
}

#[test]
fn an_import_that_only_an_option_uses_is_used() {
    let rule = "syntax = \"proto3\";\npackage google.api;\nimport \"google/protobuf/descriptor.proto\";\n\
                message Rule { string get = 1; }\nextend google.protobuf.MethodOptions { Rule http = 72295728; }";
    let with_option = GOOD
        .replace("import ", "import \"google/api/rule.proto\";\nimport ")
        .replace("(GetThingResponse);", "(GetThingResponse) { option (google.api.http) = {get: \"/v1\"}; }");
    let found = lint(&[("google/api/rule.proto", rule), ("shop/v1/shop.proto", &with_option)]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn compatibility_packages_keep_their_names() {
    let theirs = "syntax = \"proto3\";\npackage vmprovisioner.v1;\nmessage m { string vmId = 1; }";
    assert_eq!(lint(&[("vmprovisioner/v1/vm.proto", theirs)]), Vec::<String>::new());
    assert!(EXEMPT.iter().all(|exemption| !exemption.why.is_empty()));
}

#[test]
fn lines_are_told_and_broken_files_are_findings() {
    let found = lint(&[("shop/v1/shop.proto", &GOOD.replace("  // Which.\n", ""))]);
    assert!(found[0].starts_with("proto/shop/v1/shop.proto:11: shop.v1.GetThingRequest.id has no"), "{found:?}");
    let broken = lint(&[("shop/v1/shop.proto", &GOOD.replace("string id", "Strong id"))]);
    assert!(broken[0].contains("does not compile"), "{broken:?}");
}
