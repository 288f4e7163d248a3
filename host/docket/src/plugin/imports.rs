//! What a plugin imports and docket does not give: told by name, with the contract version that brings it or the reason
//! why none does, before anything of the plugin runs.

use docket_core::run::Failure;
use docket_core::text::printable;

/// The contract this docket gives.
const CONTRACT: &str = "0.1.0";
/// Its package.
const CONTRACT_PACKAGE: &str = "docket:stage";
/// Its interfaces that can be imported.
pub(super) const CONTRACT_INTERFACES: [&str; 5] = ["types", "report", "answer", "process", "dialogue"];
/// Those that run commands, which has to be granted.
const COMMAND_INTERFACES: [&str; 2] = ["process", "dialogue"];
/// Interfaces of WASI 0.2 that docket gives, by package; those of sockets answer that nothing is allowed.
const WASI: [(&str, &[&str]); 6] = [
    (
        "wasi:cli",
        &[
            "environment",
            "exit",
            "stdin",
            "stdout",
            "stderr",
            "terminal-input",
            "terminal-output",
            "terminal-stdin",
            "terminal-stdout",
            "terminal-stderr",
        ],
    ),
    ("wasi:clocks", &["monotonic-clock", "wall-clock"]),
    ("wasi:filesystem", &["preopens", "types"]),
    ("wasi:io", &["error", "poll", "streams"]),
    ("wasi:random", &["insecure", "insecure-seed", "random"]),
    (
        "wasi:sockets",
        &[
            "instance-network",
            "ip-name-lookup",
            "network",
            "tcp",
            "tcp-create-socket",
            "udp",
            "udp-create-socket",
        ],
    ),
];

/// What is wrong with an import, and what helps.
#[derive(Debug, PartialEq, Eq)]
struct Missing {
    reason: String,
    fix: String,
}

/// The interfaces by which a plugin with these imports runs commands, as a message names them; `None` when it runs none.
pub(super) fn command_interfaces(imports: &[String]) -> Option<String> {
    let is_imported = |interface: &&str| {
        let names = |import: &String| {
            parts(import).is_some_and(|(package, name, _)| package == CONTRACT_PACKAGE && name == *interface)
        };
        imports.iter().any(names)
    };
    let found: Vec<String> =
        COMMAND_INTERFACES.iter().copied().filter(is_imported).map(|name| format!("`{name}`")).collect();
    (!found.is_empty()).then(|| found.join(" and "))
}

/// The failure for everything a plugin imports that docket does not give. `None` when docket knows all of it.
pub(super) fn missing(plugin: &str, imports: &[String]) -> Option<Failure> {
    let mut found = imports.iter().filter_map(|import| Some((import, look(import)?)));
    let (import, first) = found.next()?;
    let mut message = format!("plugin '{plugin}' imports `{}`, {}", shown(import), first.reason);
    let others: Vec<String> = found.map(|(import, _)| format!("`{}`", shown(import))).take(5).collect();
    if !others.is_empty() {
        message.push_str(&format!("; nor does docket give {}", others.join(", ")));
    }
    Some(Failure::new("import-missing", message).hint(first.fix))
}

/// The failure for what wasmtime could not link although every interface is known: a function or a type of one.
pub(super) fn unlinked(plugin: &str, cause: &wasmtime::Error) -> Failure {
    let chain: Vec<String> = cause.chain().map(|cause| cause.to_string()).collect();
    let quoted = |text: &String| text.split('`').nth(1).map(shown);
    let interface = chain.iter().find(|text| text.contains("not found in the linker")).and_then(quoted);
    let member = chain.iter().find(|text| text.contains("instance export")).and_then(quoted);
    let (Some(interface), Some(member)) = (interface, member) else {
        return Failure::new(
            "component-invalid",
            format!("plugin '{plugin}' can't be linked: {}", printable(&format!("{cause:#}"))),
        )
        .hint(format!("it may import only `{CONTRACT_PACKAGE}` {CONTRACT} and WASI 0.2"));
    };
    let is_absent = chain.iter().any(|text| text.contains("implementation is missing"));
    let reason = if is_absent { "does not have it" } else { "has it with other types" };
    Failure::new(
        "import-missing",
        format!("plugin '{plugin}' imports `{member}` of `{interface}`, but the one that docket gives {reason}"),
    )
    .hint(format!(
        "build the plugin against {CONTRACT_PACKAGE}@{CONTRACT} and WASI 0.2 as they were published, or use a docket whose contract has it"
    ))
}

fn look(import: &str) -> Option<Missing> {
    let Some((package, interface, version)) = parts(import) else {
        return Some(Missing {
            reason: "which is no interface of a package, so no contract has it".to_owned(),
            fix: format!("import interfaces of `{CONTRACT_PACKAGE}` and WASI only"),
        });
    };
    if package == CONTRACT_PACKAGE {
        return look_at_contract(interface, version);
    }
    let fix =
        "build the plugin for the target wasm32-wasip2, or give the job to an agent's command".to_owned();
    let known = WASI.iter().find(|(known, _)| *known == package);
    if package.starts_with("wasi:") && !version.starts_with("0.2.") {
        return Some(Missing { reason: "but docket gives WASI 0.2 only".to_owned(), fix });
    }
    if known.is_some_and(|(_, interfaces)| interfaces.contains(&interface)) {
        return None;
    }
    let reason = match (package, known) {
        ("wasi:http" | "wasi:tls", _) => "but no contract gives stages a network".to_owned(),
        (_, Some(_)) => "which is no part of the WASI 0.2 that docket gives".to_owned(),
        (_, None) if package.starts_with("wasi:") => {
            let given: Vec<&str> = WASI.iter().map(|(package, _)| *package).collect();
            format!("which no contract gives; of WASI 0.2 there is {}", given.join(", "))
        }
        (_, None) => {
            return Some(Missing {
                reason: "which is no part of any contract".to_owned(),
                fix: format!(
                    "compose the plugin with a component that provides it, so that only `{CONTRACT_PACKAGE}` and WASI 0.2 are left to import"
                ),
            });
        }
    };
    Some(Missing { reason, fix })
}

fn look_at_contract(interface: &str, version: &str) -> Option<Missing> {
    if version != CONTRACT {
        return Some(Missing {
            reason: format!("of contract {}; this docket gives contract {CONTRACT}", shown(version)),
            fix: other_contract(version),
        });
    }
    if CONTRACT_INTERFACES.contains(&interface) {
        return None;
    }
    Some(Missing {
        reason: format!("which is no part of contract {CONTRACT}, the newest that this docket knows"),
        fix: format!(
            "import only {} of `{CONTRACT_PACKAGE}@{CONTRACT}`, or use a docket whose contract has it",
            CONTRACT_INTERFACES.join(", ")
        ),
    })
}

/// What helps when a plugin was built for another contract than this docket's.
pub(super) fn other_contract(version: &str) -> String {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
    };
    if numbers(version) > numbers(CONTRACT) {
        format!(
            "use a docket that runs contract {} (`docket --version` names yours), or build the plugin for {CONTRACT}",
            shown(version)
        )
    } else {
        format!("build the plugin anew, for contract {CONTRACT}")
    }
}

/// Package, interface and version of `package:name/interface@version`; the version may be missing.
fn parts(import: &str) -> Option<(&str, &str, &str)> {
    let (package, rest) = import.split_once('/')?;
    package.split_once(':')?;
    Some(
        rest.split_once('@')
            .map_or((package, rest, ""), |(interface, version)| (package, interface, version)),
    )
}

/// A name out of a component: safe to print and no longer than anybody reads.
fn shown(name: &str) -> String {
    printable(&name.chars().take(120).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(import: &str) -> String {
        let failure = missing("p", &[import.to_owned()]).expect("missing");
        format!("{} | {}", failure.message, failure.hint.unwrap_or_default())
    }

    #[test]
    fn what_docket_gives_is_not_missing() {
        for import in [
            "docket:stage/report@0.1.0",
            "docket:stage/process@0.1.0",
            "docket:stage/dialogue@0.1.0",
            "docket:stage/answer@0.1.0",
            "wasi:cli/environment@0.2.0",
            "wasi:filesystem/types@0.2.6",
            "wasi:sockets/tcp@0.2.3",
        ] {
            assert!(missing("p", &[import.to_owned()]).is_none(), "{import}");
        }
    }

    #[test]
    fn what_runs_commands_is_known_in_any_version() {
        fn of<const N: usize>(imports: [&str; N]) -> Option<String> {
            command_interfaces(&imports.map(str::to_owned))
        }
        assert_eq!(of(["docket:stage/process@0.1.0"]).as_deref(), Some("`process`"));
        assert_eq!(of(["docket:stage/dialogue@0.1.7"]).as_deref(), Some("`dialogue`"));
        let both = ["docket:stage/dialogue@0.1.0", "docket:stage/process@0.1.0"];
        assert_eq!(of(both).as_deref(), Some("`process` and `dialogue`"));
        assert_eq!(of(["docket:stage/answer@0.1.0", "acme:stage/process@0.1.0"]), None);
    }

    #[test]
    fn each_missing_import_says_why_and_what_helps() {
        for (import, words) in [
            ("docket:stage/report@0.2.0", &["contract 0.2.0", "use a docket that runs contract 0.2.0"][..]),
            ("docket:stage/report@0.0.9", &["0.0.9", "build the plugin anew"]),
            (
                "docket:stage/network@0.1.0",
                &["no part of contract 0.1.0", "types, report, answer, process, dialogue"],
            ),
            ("wasi:http/types@0.2.0", &["network", "wasm32-wasip2"]),
            ("wasi:keyvalue/store@0.2.0", &["which no contract gives", "wasi:filesystem"]),
            ("wasi:clocks/timezone@0.2.0", &["no part of the WASI 0.2"]),
            ("wasi:cli/stdout@0.3.0", &["WASI 0.2 only"]),
            ("acme:tools/x@1.0.0", &["no part of any contract", "compose"]),
            ("just-a-function", &["no interface of a package"]),
        ] {
            let text = told(import);
            assert!(text.contains(import), "{text}");
            words.iter().for_each(|word| assert!(text.contains(word), "no '{word}' in {text}"));
        }
    }

    #[test]
    fn all_are_named_at_once() {
        let imports = ["acme:a/x@1.0.0", "wasi:io/poll@0.2.0", "acme:b/\u{1b}y@1.0.0"].map(str::to_owned);
        let failure = missing("p", &imports).expect("missing");
        assert!(failure.message.contains("acme:a/x@1.0.0") && failure.message.contains("acme:b/"));
        assert!(
            !failure.message.contains('\u{1b}') && !failure.message.contains("poll"),
            "{}",
            failure.message
        );
    }
}
