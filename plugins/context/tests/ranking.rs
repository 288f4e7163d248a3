//! Which documents come first, why, and that none can push itself to the front.

mod support;

use support::Project;

const SUBJECTS: [&str; 6] = ["journal", "sandbox", "grammar", "colour", "network", "calendar"];

/// Three documents on each subject, of which the later ones cite the first.
fn library() -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for (subject, about) in SUBJECTS.iter().enumerate() {
        for part in 1..=3 {
            let number = subject * 3 + part;
            let cites =
                if part > 1 { format!("It builds on RFC {}.", subject * 3 + 1) } else { String::new() };
            let text = format!(
                "# RFC {number}: The {about} and its {about}-keeper, part {part}\n\n## Summary\n\nEvery {about} needs a keeper. {cites}\n\n\
                 ## Design\n\nThe {about} is kept by its keeper; the {about}-table lists each {about} entry and {about}lock.\n"
            );
            texts.push((format!("rfcs/rfc-{number:04}.md"), text));
        }
    }
    texts
}

fn project(texts: &[(String, String)]) -> Project {
    let borrowed: Vec<(&str, &str)> =
        texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    Project::new(&borrowed)
}

#[test]
fn what_is_alike_and_what_that_cites_come_first() {
    let mut texts = library();
    let new = "# A better journal\n\nThe journal entry is kept by a keeper, and the journal-table grows.\n";
    texts.push(("rfcs/rfc-0030.md".into(), new.into()));
    let project = project(&texts);
    let found = project.related("rfcs/rfc-0030.md");
    let first: Vec<&str> = found.iter().take(3).map(|(path, _)| *path).collect();
    assert_eq!(first[0], "rfcs/rfc-0001.md", "what both others cite");
    assert!(first.contains(&"rfcs/rfc-0002.md") && first.contains(&"rfcs/rfc-0003.md"), "{first:?}");
    let reasons = found[0].1.reasons.join("; ");
    assert!(reasons.contains("cited by documents on the same topic: rfcs/rfc-000"), "{reasons}");
    assert!(found.iter().all(|(_, relative)| relative.score <= 1.0));
}

#[test]
fn what_is_referred_to_comes_before_all_and_says_where() {
    let mut texts = library();
    let new =
        "# A better journal\n\nThe journal entry is kept by a keeper.\n\nColours are those of RFC 10.\n";
    texts.push(("rfcs/rfc-0030.md".into(), new.into()));
    let project = project(&texts);
    let (path, relative) = &project.related("rfcs/rfc-0030.md")[0];
    assert_eq!(*path, "rfcs/rfc-0010.md");
    assert!(relative.score > 1.0 && relative.reasons[0] == "referenced on line 5", "{relative:?}");
}

#[test]
fn documents_that_refer_to_the_target_say_so() {
    let found = project(&library());
    let found = found.related("rfcs/rfc-0001.md");
    let reasons = &found.iter().find(|(path, _)| *path == "rfcs/rfc-0002.md").expect("listed").1.reasons;
    assert!(reasons.contains(&"refers to this document on line 5".to_owned()), "{reasons:?}");
}

#[test]
fn a_superseded_document_leads_to_its_successor() {
    let mut texts = library();
    texts[0].1.push('\n');
    texts[0].1 = format!("---\nstatus: Superseded\nsuperseded-by: RFC 18\n---\n{}", texts[0].1);
    let new = "# A better journal\n\nAs in RFC 1.\n";
    texts.push(("rfcs/rfc-0030.md".into(), new.into()));
    let project = project(&texts);
    let found = project.related("rfcs/rfc-0030.md");
    assert_eq!([found[0].0, found[1].0], ["rfcs/rfc-0001.md", "rfcs/rfc-0018.md"]);
    assert_eq!(found[1].1.reasons[0], "takes the place of rfcs/rfc-0001.md");
}

#[test]
fn a_document_made_to_win_every_ranking_does_not() {
    let mut texts = library();
    let words: Vec<String> = SUBJECTS
        .iter()
        .map(|about| format!("{about} {about}-keeper {about}-table {about} entry {about}lock"))
        .collect();
    let all = words.join(" ");
    let ids: Vec<String> = (1..=18).map(|number| format!("RFC {number}")).collect();
    let stuffed = format!(
        "# {all}\n\n## {all}\n\n{}\n\n{} {}\n",
        format!("{all} ").repeat(400),
        ids.join(", "),
        "RFC 7 ".repeat(2000)
    );
    texts.push(("rfcs/rfc-0000-best-of-all.md".into(), stuffed));
    let project = project(&texts);
    for number in 1..=18 {
        let found = project.related(&format!("rfcs/rfc-{number:04}.md"));
        let rank = found.iter().position(|(path, _)| path.contains("best-of-all")).expect("listed");
        assert!(rank >= 2, "ranked {rank} for {number}");
    }
}

#[test]
fn thousands_of_references_and_odd_texts_are_taken() {
    let many: String =
        (0..20_000).map(|number| format!("RFC {number} [x](y{number}.md) z{number}/w.md ")).collect();
    let project = Project::new(&[
        ("rfcs/rfc-1.md", &many),
        (
            "rfcs/rfc-2.md",
            "\u{feff}# RFC 2\r\n\r\nRFC\r\n1\u{0} \u{fffd}\u{fffd} RFC 1-999999, RFC 18446744073709551616",
        ),
        ("rfcs/rfc-3.md", ""),
    ]);
    assert!(project.written[0].len() <= 2_000 && project.words[0].len() <= 1_000);
    project.refers("rfcs/rfc-2.md", &["rfcs/rfc-1.md"]);
    assert_eq!(project.related("rfcs/rfc-3.md").len(), 2);
}

#[test]
fn the_same_project_gives_the_same_list() {
    let project = project(&library());
    assert_eq!(project.related("rfcs/rfc-0007.md"), project.related("rfcs/rfc-0007.md"));
}
