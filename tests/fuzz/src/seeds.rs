//! What the targets begin with: made from the repository's own files, so that none of it has to be kept a second time.
//! Beside them lie the inputs that once broke something (`tests/fuzz/regressions`).

use std::path::{Path, PathBuf};

use docket_core::definition::check;

use crate::definition::DIVIDER;
use crate::drive::Run;
use crate::sample::{DEFINITIONS, EVERYTHING, MANIFESTS, Own, PROMPT, REVIEW_SCHEMA, new_run};

/// An input to begin with.
pub struct Seed {
    /// A name for people.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

fn seed(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Seed {
    Seed { name: name.into(), bytes: bytes.into() }
}

/// Those of the texts, each behind these bytes.
fn behind(first: &[u8], texts: &[&str]) -> Vec<Seed> {
    let numbered = texts.iter().enumerate();
    numbered
        .map(|(number, text)| seed(format!("text-{first:x?}-{number}"), [first, text.as_bytes()].concat()))
        .collect()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a folder of the repository and below it that end like this, in order.
fn files(folder: &str, ending: &str) -> Vec<Seed> {
    fn collect(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        let entries =
            std::fs::read_dir(folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
        for entry in entries {
            let path = entry.expect("an entry of a folder").path();
            if path.is_dir() {
                collect(&path, ending, found);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    let root = repository().join(folder);
    let mut paths = Vec::new();
    collect(&root, ending, &mut paths);
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace(['/', '.'], "-");
        seed(name, std::fs::read(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display())))
    };
    paths.iter().map(read).collect()
}

/// The inputs that once broke something in a target.
pub fn regressions(target: &str) -> Vec<Seed> {
    let folder = format!("tests/fuzz/regressions/{target}");
    if repository().join(&folder).is_dir() { files(&folder, "") } else { Vec::new() }
}

pub(crate) fn definition() -> Vec<Seed> {
    let mut seeds = files("host/core/tests/definitions", ".yml");
    seeds.extend(DEFINITIONS.map(|(name, text)| seed(name, text)));
    for choices in
        ["\0\0\x0e\0 \x05\0\x08", "\x04\x0b\0\x03\x19\x0d\x0e\0", "\x03\x07\x17\x27\x09\x39\x0a\x7f"]
    {
        let name = format!("everything-{}", seeds.len());
        seeds.push(seed(name, format!("{EVERYTHING}{DIVIDER}{choices}")));
    }
    seeds
}

pub(crate) fn expression() -> Vec<Seed> {
    let alone = behind(
        &[0],
        &[
            "inputs.perspective == 'security' && n > 2",
            "stages.review-{perspective}.outputs.result.blockers.size() > 0",
            "stages['review-' + perspective].outputs.list.map(x, x * 2).filter(x, x > 2)",
            "perspective == 'all' ? stages.later.outputs.x : [1, 2.5, {'a': null}]",
            "blockers_count + minor_count > 0 || !has(matrix.side)",
            "matrix.n % 2 == 0 && ratio / 0.5 > 1.0 && large > 1u",
            "items.exists(i, i == 'a') && tricky.startsWith('{') && rfc_name.contains('rfc')",
            "\"a\\n\\u00e9\" + r'raw' + b'bytes'",
            "{'a': {'b': [1, 2, 3]}}.a.b[1] in [1, 2]",
        ],
    );
    let within = behind(
        &[1],
        &[
            "docs/{rfc_name}-{date}-{perspective}.md",
            "on ${{ date }} in ${workflow_id} {{n}} ${{ items }}",
            "${{ {'a': '}}'} }}",
            "reviews/${{ n }}/${inputs.rfc_path}",
            "{tricky}",
            "plain",
        ],
    );
    alone.into_iter().chain(within).collect()
}

/// Documents of several shapes, and source files.
pub(crate) fn document() -> Vec<Seed> {
    let as_file = |number: u8, seeds: Vec<Seed>| {
        seeds.into_iter().map(move |it| seed(it.name, [&[number], it.bytes.as_slice()].concat()))
    };
    let project = "plugins/context/tests/project";
    let mut seeds: Vec<Seed> = as_file(0, files(project, ".md")).collect();
    seeds.extend(as_file(4, files(project, ".rs")));
    seeds.extend(behind(&[1], &[
        "- RFC PR: [o/rfcs#12](https://example.org/o/rfcs/pull/12)\n\n# Summary\n\nSee RFCs 1, 2 and 3-7, `[x]: y` <a href=\"z.md\">.",
        "---\nrequires: 20, 165\nsuperseded-by: ADR-7\ntags: [a, b]\n---\n# tokenURI 参见ADR-3。日志\n\n- [ ] to do\n<!-- ADR-9 -->",
    ]));
    seeds.extend(behind(
        &[2],
        &["PEP: 8\nTitle: Style\nAuthor: Ana <a@example.org>,\n  Bo\n\nSee :pep:`572`."],
    ));
    seeds.extend(behind(&[5], &["@click.command()\ndef run():  # TODO: more\n    pass\nclass A(B):\n"]));
    seeds.extend(behind(&[6], &["{ \"bin\": { \"x\": \"x.js\" }, \"scripts\": { \"test\": \"y\" } }"]));
    seeds
}

pub(crate) fn prompt() -> Vec<Seed> {
    let templates = files("workflows/templates", ".md");
    let mut seeds: Vec<Seed> =
        templates.into_iter().map(|it| seed(it.name, [&[1], it.bytes.as_slice()].concat())).collect();
    seeds.extend(behind(&[1], &[
        PROMPT,
        "{% for a in context.related.adrs %}{{ loop.index }} {{ a.title | upper }}{% else %}none{% endfor %}",
        "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(1) }}{% set ns = namespace(a=1) %}{% set ns.a = ns.a + 1 %}{{ ns.a }}",
        "{% if inputs.n > 2 and inputs.none is none %}{{ inputs | tojson }}{% endif %}{{ 'x' * 3 }}{{ [1] * 3 }}",
        "{{ document.content | as_data(document.path) | indent(2) | replace('a', 'b') | length }}",
        "{{ range(10) | batch(3) | list }}{{ 'a,b' | split(',') | join('-') }}{{ 7 // 2 ** 3 }}{{ 1 ~ 2 }}",
    ]));
    seeds.extend(behind(
        &[0],
        &["# A document\n\n<<<END DATA-0000000000000000>>>\n", "", "docs/a.md\u{1b}[2J\n"],
    ));
    seeds
}

/// Journals of runs that were driven here, and those that older versions left.
pub(crate) fn journal() -> Vec<Seed> {
    let own = Own::new();
    let mut seeds = Vec::new();
    for (number, choices) in JOURNEYS.iter().enumerate() {
        let workflow = check("everything.yml", EVERYTHING, &own).expect("the sample is a workflow");
        let start = new_run(&workflow, EVERYTHING, &own).expect("its stages have names");
        let mut run = Run::start(&workflow, start);
        run.drive(choices);
        for mode in [0, 1] {
            let first = [mode, u8::try_from(number).unwrap_or(0)];
            seeds.push(seed(format!("driven-{number}-{mode}"), [&first, run.journal.as_slice()].concat()));
        }
    }
    for it in files("tests/fixtures/format-1", "journal.jsonl") {
        seeds.push(seed(it.name.clone(), [&[0, 3], it.bytes.as_slice()].concat()));
        seeds.push(seed(format!("{}-chained", it.name), [&[1, 3], it.bytes.as_slice()].concat()));
    }
    seeds
}

/// What happened to the runs whose journals are seeds.
const JOURNEYS: [&[u8]; 5] = [
    &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    &[1, 5, 17, 5, 33, 6, 14, 5, 0, 0, 0, 0],
    &[4, 11, 4, 11, 0, 10, 0, 0, 0],
    &[3, 7, 0, 13, 0, 14, 0, 8, 0, 24, 0, 40, 56, 72],
    &[0, 0, 0, 0, 0, 0, 9, 25, 41, 57, 73, 89, 0, 0, 0, 0, 0, 241],
];

pub(crate) fn agent() -> Vec<Seed> {
    let answer = r#"{\"assessment\":\"APPROVE\",\"blockers\":[],\"major\":[],\"minor\":[],\"strengths\":[],\"summary\":\"fine\"}"#;
    let plain = answer.replace('\\', "");
    let codex = [
        r#"{"type":"thread.started","thread_id":"0199"}"#,
        r#"{"type":"turn.started"}"#,
        r#"{"type":"item.completed","item":{"id":"0","type":"reasoning","text":"**Reading**\n\nlong"}}"#,
        r#"{"type":"item.started","item":{"id":"1","type":"command_execution","command":"cat docs/a.md"}}"#,
        r#"{"type":"item.updated","item":{"id":"2","type":"todo_list","items":[{"text":"a","completed":true},{"text":"b"}]}}"#,
        r#"{"type":"item.started","item":{"type":"mcp_tool_call","server":"s","tool":"t"}}"#,
        r#"{"type":"item.completed","item":{"type":"file_change","changes":[{"path":"a.md"}]}}"#,
        r#"{"type":"error","message":"again"}"#,
        &format!(r#"{{"type":"item.completed","item":{{"item_type":"assistant_message","text":"{answer}"}}}}"#),
        r#"{"type":"turn.completed","usage":{"input_tokens":24763,"cached_input_tokens":24448,"output_tokens":122}}"#,
    ]
    .join("\n");
    let failed = r#"{"type":"turn.failed","error":{"message":"no"}}"#;
    let schema = r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/a"},"b":{"type":["string","null"]}},"$defs":{"a":{"anyOf":[{"type":"string"}]}}}"##;
    let mut seeds = behind(&[0], &[&codex, failed, &format!("{codex}\nschema\n{schema}")]);
    seeds.extend(behind(&[2], &[&format!("{{\"type\":\"turn.completed\"}}\nanswer\n{plain}")]));
    for (mode, program) in [(0, "codex"), (16, "claude"), (32, "gemini"), (48, "opencode")] {
        let transcripts = files(&format!("plugins/agent-shell/tests/transcripts/{program}"), ".txt");
        seeds.extend(transcripts.into_iter().map(|it| {
            let name = format!("{program}-{}", it.name);
            seed(name, [&[mode], it.bytes.as_slice()].concat())
        }));
    }
    let fenced = format!("Here it is:\n```json\n{plain}\n```\nBye");
    seeds.extend(behind(&[1], &[&plain, &fenced, "I {can't} {\"a\": {\"b\": \"}\"}} done", REVIEW_SCHEMA]));
    seeds.extend(
        MANIFESTS
            .iter()
            .map(|text| seed(format!("manifest-{}", text.len()), [b"\x01", text.as_bytes()].concat())),
    );
    seeds
}

/// Paths with what is asked for and what stands in a config.
#[cfg(feature = "host")]
pub(crate) fn paths() -> Vec<Seed> {
    let texts = [
        "docs/a.md\ndocs/*.md\ndocs/rfcs/.reviews/x.md",
        "out/b/c.txt\nout/**\na",
        ".git/config\n**\n.github/x",
        "a/.GIT. /x\n{a,b}/[cd]?\n.docket",
        "git~1/x\n**/x\nC:/x",
        "../x\n../*\n/etc/passwd",
        ".g\u{200d}it/x\n.*\na\\\\b",
        ".git::$INDEX_ALLOCATION\n*\nnul.txt",
        ".doc\u{212a}et/x\n*/*\ncom1",
        "docket~1/.. /a..\n*\n...",
    ];
    texts.iter().enumerate().map(|(number, text)| seed(format!("path-{number}"), *text)).collect()
}

/// Manifests alone and in components.
#[cfg(feature = "host")]
pub(crate) fn manifest() -> Vec<Seed> {
    let manifests = MANIFESTS.iter().enumerate();
    let mut seeds: Vec<Seed> = manifests
        .flat_map(|(number, text)| {
            let whole = crate::manifest::component(text.as_bytes());
            [
                seed(format!("manifest-{number}"), [&[1], text.as_bytes()].concat()),
                seed(format!("component-{number}"), [&[0], whole.as_slice()].concat()),
            ]
        })
        .collect();
    seeds.extend(behind(&[0], &["\0asm\x01\0\0\0", "\0asm\r\0\x01\0", "hello"]));
    seeds
}

/// Programs for the guest.
#[cfg(feature = "host")]
pub(crate) fn host() -> Vec<Seed> {
    let programs: [&[u8]; 10] = [
        // Opens a file of the project and reads it.
        &[1, 0, 0, 0, 1, 3, 4, 0, 1, 0, 10, 4, 200, 0, 0],
        // Makes folders, files and links below every folder there is.
        &[1, 15, 1, 0, 11, 0, 0, 2, 0, 0, 1, 11, 4, 9, 3, 0, 12, 4, 97, 65, 0, 0, 23, 1, 1, 0, 7, 0, 10, 0],
        // Says things, and what it used.
        &[
            1, 40, 2, 41, 3, 42, 4, 43, 220, 220, 220, 220, 45, 5, 46, 200, 47, 48, 5, 49, 9, 255, 0, 1, 2,
            3, 0,
        ],
        // Starts the command and follows it.
        &[3, 56, 1, 2, 2, 98, 104, 105, 0, 0, 58, 0, 19, 58, 0, 19, 58, 0, 19, 59, 0, 19, 61, 0, 5, 62, 0],
        &[
            3, 56, 1, 3, 0, 99, 97, 46, 98, 1, 98, 97, 97, 2, 97, 1, 99, 97, 46, 98, 2, 0, 58, 0, 19, 58, 0,
            15,
        ],
        // The same without a command that is there.
        &[1, 56, 1, 2, 2, 98, 104, 105, 0, 0, 58, 0, 19],
        // Strangers: handles that were never given, the network, standard input, much memory and many random bytes.
        &[1, 54, 99, 50, 4, 52, 80, 1, 53, 255, 255, 55, 220, 27, 9, 0, 1, 0],
        // Moves and links between folders.
        &[
            1, 19, 0, 0, 3, 1, 1, 9, 0, 21, 0, 1, 0, 4, 2, 0, 26, 0, 0, 18, 1, 0, 9, 0, 22, 1, 0, 1, 5, 2, 0,
            7, 0,
        ],
        // Streams and folders.
        &[
            1, 30, 0, 0, 31, 0, 0, 31, 0, 0, 32, 0, 0, 0, 33, 0, 99, 0, 34, 1, 0, 0, 35, 0, 98, 65, 66, 1, 0,
            36, 0, 0,
        ],
        // The looks of a config.
        &[8, 40, 2, 43, 1, 1, 1, 1, 54, 3, 12, 0, 97, 65, 0, 255, 0, 2, 3, 4],
    ];
    programs.iter().enumerate().map(|(number, bytes)| seed(format!("program-{number}"), *bytes)).collect()
}
