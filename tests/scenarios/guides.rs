//! The complete definitions in the guides are taken by docket as they stand there.

use std::path::Path;

use crate::support::place_with_document;

/// The YAML blocks of a text that are whole definitions.
fn definitions(text: &str) -> Vec<&str> {
    let blocks = text.split("\n```yaml\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    blocks.filter(|block| block.starts_with("name: ") && block.contains("\nstages:\n")).collect()
}

#[test]
fn the_guide_lists_the_tools_of_the_mcp_server_as_they_are() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/mcp.md");
    let text = std::fs::read_to_string(guide).expect("the guide is there");
    let table = docket::mcp::table();
    assert!(text.contains(&table), "the table of tools should be:\n{table}");
}

#[test]
fn definitions_in_the_guides_have_no_faults() {
    let place = place_with_document();
    let guides = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides");
    let mut seen = 0;
    for guide in ["writing-a-definition.md", "repeating-stages.md", "approvals.md", "sub-workflows.md"] {
        let text = std::fs::read_to_string(guides.join(guide)).expect("the guide is there");
        for definition in definitions(&text) {
            seen += 1;
            place.write("drafts/guide.yml", definition);
            let output = place.run(&["workflow", "check", "drafts/guide.yml"]);
            assert_eq!(output.code, 0, "{guide}:\n{definition}\n{}{}", output.stdout, output.stderr);
        }
    }
    assert_eq!(seen, 6, "the definitions of the guides are found");
}
