//! The binary knows its provider in every command.

use std::process::Command;

#[test]
fn the_provider_is_listed_among_the_built_ins() {
    let output = Command::new(env!("CARGO_BIN_EXE_gleaner-own-provider"))
        .args(["provider", "list", "--json"])
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .expect("the binary runs");
    let listed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        listed.contains(r#""name":"acme_directory""#) && listed.contains(r#""name":"github""#),
        "{listed}"
    );
}
