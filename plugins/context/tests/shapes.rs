//! References in repositories of other shapes: numbered by file, folder or not at all, in several formats and
//! languages. Every document here is made up.

mod support;

use support::Project;

#[test]
fn numbers_whose_scheme_only_the_header_tells() {
    let header = |number: u32| {
        format!(
            "- Feature Name: x\n- RFC PR: [lab/rfcs#{number}](https://forge.example/lab/rfcs/pull/{number})\n\n# Summary\n\n"
        )
    };
    let project = Project::new(&[
        ("text/0001-pipes.md", &(header(1) + "Pipes.")),
        ("text/0002-valves.md", &(header(2) + "Valves.")),
        ("text/0003-pumps.md", &(header(3) + "Pumps.")),
        (
            "text/0004-taps.md",
            &(header(4)
                + "Builds on RFC 1, [RFC 2](https://forge.example/lab/rfcs/pull/2) and\n\
                   [the pumps](https://lab.example/rfcs/0003-pumps.html). MUST is that of\n\
                   [RFC 2119](https://www.example.org/rfc/rfc2119.txt), RFC 2119 for short. See [this ticket](https://forge.example/lab/other/pull/2)."),
        ),
        ("0000-template.md", &header(0)),
    ]);
    project.refers("text/0004-taps.md", &["text/0001-pipes.md", "text/0002-valves.md", "text/0003-pumps.md"]);
    assert!(project.broken("text/0004-taps.md").is_empty());
}

#[test]
fn plain_text_with_a_header_like_mail() {
    let text = |number: u32, more: &str| {
        format!(
            "PEP: {number}\nTitle: On {number}\nAuthor: Ana Ruiz <ana@example.org>\n{more}\n\nAbstract\n========\n"
        )
    };
    let project = Project::new(&[
        ("pep-0001.rst", &text(1, "Type: Process")),
        ("pep-0002.rst", &text(2, "Superseded-By: 3")),
        ("pep-0003.rst", &text(3, "Replaces: 2")),
        (
            "pep-0004.rst",
            &(text(4, "Requires: 1")
                + "\nSee :pep:`2`, and `the third <https://peps.example.org/pep-0003/>`_.\n"),
        ),
        (
            "pep-0005.rst",
            &(text(5, "Type: Process")
                + "\nPEPs 1, 2 and\n4 agree; PEP 3\\ 's does not. pep-0004.txt is older.\n"),
        ),
    ]);
    project.refers("pep-0004.rst", &["pep-0001.rst", "pep-0002.rst", "pep-0003.rst"]);
    project.refers("pep-0002.rst", &["pep-0003.rst"]);
    project.refers("pep-0005.rst", &["pep-0001.rst", "pep-0002.rst", "pep-0003.rst", "pep-0004.rst"]);
}

#[test]
fn folders_that_are_documents() {
    let project = Project::new(&[
        (
            "keps/sig-net/123-drain/README.md",
            "# KEP-123: Drain\n\nSee [KEP-456](/keps/sig-node/456-sweep), `keps/sig-node/789-mop/` and KEP 1000.",
        ),
        (
            "keps/sig-node/456-sweep/README.md",
            "# KEP-456: Sweep\n\nFollows KEP-123 and https://forge.example/cloud/enhancements/tree/main/keps/sig-node/789-mop/README.md.",
        ),
        ("keps/sig-node/789-mop/README.md", "# KEP-789: Mop\n\nAs [Drain](../../sig-net/123-drain) does."),
        ("keps/README.md", "# All\n"),
    ]);
    let (drain, sweep, mop) = (
        "keps/sig-net/123-drain/README.md",
        "keps/sig-node/456-sweep/README.md",
        "keps/sig-node/789-mop/README.md",
    );
    project.refers(drain, &[sweep, mop]);
    project.refers(sweep, &[drain, mop]);
    project.refers(mop, &[drain]);
}

#[test]
fn decisions_with_bare_numbers() {
    let project = Project::new(&[
        (
            "docs/decisions/0001-use-x.md",
            "---\nstatus: superseded by [ADR-0003](0003-use-z.md)\n---\n# Use X\n",
        ),
        (
            "docs/decisions/0002-use-y.md",
            "# Use Y\n\nAs ADR-1 and adr 0003 say; see [Z](./0003-Use-Z.md), and [gone](0009-gone.md).",
        ),
        (
            "docs/decisions/0003-use-z.md",
            "# Use Z\n\nSupersedes ADR-0001, renamed from [use why](0002-use-why.md).",
        ),
        ("docs/decisions/adr-template.md", "# ADR-0001: title\n"),
    ]);
    project.refers("docs/decisions/0001-use-x.md", &["docs/decisions/0003-use-z.md"]);
    project.refers(
        "docs/decisions/0002-use-y.md",
        &["docs/decisions/0001-use-x.md", "docs/decisions/0003-use-z.md"],
    );
    assert_eq!(project.broken("docs/decisions/0002-use-y.md"), [("0009-gone.md".to_owned(), None)]);
    let renamed = Some("docs/decisions/0002-use-y.md".to_owned());
    assert_eq!(project.broken("docs/decisions/0003-use-z.md"), [("0002-use-why.md".to_owned(), renamed)]);
}

#[test]
fn documents_without_any_ids() {
    let project = Project::new(&[
        (
            "docs/guides/install.md",
            "# Install\n\nThen [configure](configure.md), or read <https://plumb.example.io/guides/repair.html>.",
        ),
        (
            "docs/guides/configure.md",
            "# Configure\n\nBefore: docs/guides/install.md. After: [repair](https://plumb.example.io/guides/repair/).",
        ),
        (
            "docs/guides/repair.md",
            "# Repair\n\nSee [the README](../../readme.md) and the README.md of your own project. Version 2, step 3, Python 3.",
        ),
        ("docs/adr/use-copper.md", "# Use copper\n\nAs [Steel](Use-Steel.md) did. <!-- like install.md -->"),
        ("docs/adr/use-steel.md", "# Use steel\n\n**Superseded by:** [copper](use-copper.md)\n"),
        ("README.md", "# Plumb\n\n[Guides](docs/guides/), [all](https://plumb.example.io/guides/install)"),
        ("docs/guides/README.md", "# Guides\n"),
    ]);
    project.refers("docs/guides/install.md", &["docs/guides/configure.md", "docs/guides/repair.md"]);
    project.refers("docs/guides/configure.md", &["docs/guides/install.md", "docs/guides/repair.md"]);
    project.refers("docs/guides/repair.md", &["README.md"]);
    project.refers("docs/adr/use-copper.md", &["docs/adr/use-steel.md"]);
    project.refers("docs/adr/use-steel.md", &["docs/adr/use-copper.md"]);
    project.refers("README.md", &["docs/guides/README.md", "docs/guides/install.md"]);
}

#[test]
fn other_languages() {
    let project = Project::new(&[
        ("文档/决策/ADR-1-日志.md", "# ADR-1：日志\n"),
        (
            "文档/决策/ADR-2-存储.md",
            "# ADR-2：存储\n\n参见ADR-1。另见《文档/架构.md》，以及[架构](../架构.md)。",
        ),
        ("文档/架构.md", "# 架构\n\n（参见ADR-1、ADR-2）"),
        ("doc/Entscheidung-7.md", "# Entscheidung 7: Größe\n\nSiehe Entscheidung 8 und Entscheidungen 8, 9."),
        ("doc/Entscheidung-8.md", "# Entscheidung 8: Maß\n"),
        ("doc/Entscheidung-9.md", "# Entscheidung 9: Übermaß\n\nWie [7](Entscheidung-7.md#gr%C3%B6%C3%9Fe)."),
    ]);
    project.refers("文档/决策/ADR-2-存储.md", &["文档/决策/ADR-1-日志.md", "文档/架构.md"]);
    project.refers("文档/架构.md", &["文档/决策/ADR-1-日志.md", "文档/决策/ADR-2-存储.md"]);
    project.refers("doc/Entscheidung-7.md", &["doc/Entscheidung-8.md"]);
    project.refers("doc/Entscheidung-9.md", &["doc/Entscheidung-7.md"]);
}

#[test]
fn other_words_for_a_scheme_and_its_own_addresses_are_learned() {
    let project = Project::new(&[
        ("IPS/ip-1.md", "---\nip: 1\n---\n# One\n"),
        ("IPS/ip-2.md", "---\nip: 2\n---\n# Two\n\n[IRC-1](./ip-1.md)"),
        ("IPS/ip-3.md", "---\nip: 3\nneeds: 1, 2\n---\n# Three\n\n[IRC-1](./ip-1.md), [IRC-2](./ip-2.md)"),
        (
            "IPS/ip-4.md",
            "---\nip: 4\nneeds: 3\n---\n# Four\n\nIRC-2, https://ips.example.org/IPS/ip-1, [Three](https://forge.example/old/IPs/blob/master/IPS/ip-3.md), UTF-8, level 5",
        ),
        (
            "IPS/ip-5.md",
            "---\nip: 5\nneeds: 2,3\nlevel: 4\n---\n# Five\n\n```solidity\ncontract A /* is IRC-4 */ {} // 2 and 3: IP-2, ip3\n```\n",
        ),
        ("IPS/ip-6.md", "---\nip: 6\nneeds: 5\nlevel: 4\n---\n# Six\n\nOnly its header names another.\n"),
    ]);
    project.refers("IPS/ip-4.md", &["IPS/ip-1.md", "IPS/ip-2.md", "IPS/ip-3.md"]);
    project.refers("IPS/ip-5.md", &["IPS/ip-2.md", "IPS/ip-3.md", "IPS/ip-4.md"]);
    project.refers("IPS/ip-6.md", &["IPS/ip-5.md"]);
}
