//! Definitions at random: stages of every kind in a random order of dependence.

use std::fmt::Write as _;

use docket_core::{Budget, Dollars};
use proptest::prelude::*;

/// What a stage is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Work,
    /// An agent that is a process.
    Agent,
    Approval,
    /// Runs another workflow; the machine plays it as work that may wait and go on.
    Uses,
    /// A matrix of so many items, with a condition for each item or none.
    Matrix(usize, bool),
    /// So many agents.
    Agents(usize),
    /// A matrix over what an earlier stage found, which may be something else each time.
    MatrixOfResult,
}

/// A stage's `if`.
#[derive(Debug, Clone, Copy)]
enum Condition {
    None,
    /// On how the first stage ended.
    OfFirst,
    /// On something that not every result has.
    OfResult,
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        5 => Just(Kind::Work),
        4 => Just(Kind::Agent),
        2 => (1..5_usize).prop_map(Kind::Agents),
        3 => Just(Kind::Approval),
        2 => Just(Kind::Uses),
        3 => (0..5_usize, any::<bool>()).prop_map(|(items, condition)| Kind::Matrix(items, condition)),
        2 => Just(Kind::MatrixOfResult),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        6 => Just(Condition::None),
        1 => Just(Condition::OfFirst),
        1 => Just(Condition::OfResult),
    ]
}

/// What a run may use, at random: so many launches, tokens and tenths of a dollar.
pub(crate) fn budget() -> impl Strategy<Value = Budget> {
    let perhaps = |most| proptest::option::weighted(0.4, 1..most);
    (perhaps(8_u64), perhaps(80), perhaps(8)).prop_map(|(launches, tokens, tenths)| Budget {
        #[expect(clippy::cast_precision_loss, reason = "less than ten")]
        usd: tenths.and_then(|tenths: u64| Dollars::of(tenths as f64 / 10.0)),
        tokens,
        launches,
    })
}

/// Two to five stages. The first is plain work, and others may build on what it finds.
pub(crate) fn definition() -> impl Strategy<Value = String> {
    let stage = (any::<u8>(), any::<bool>(), kind(), 0..4_u32, condition());
    (proptest::collection::vec(stage, 2..6), 1_usize..4).prop_map(|(stages, parallel)| {
        let mut text = format!("name: T\nversion: 1\nmax_parallel: {parallel}\nstages:\n");
        for (position, (depends, may_fail, kind, tries, condition)) in stages.iter().enumerate() {
            let mut before: Vec<usize> = (0..position).filter(|other| depends & (1 << other) != 0).collect();
            let needs_first = matches!(kind, Kind::MatrixOfResult) || !matches!(condition, Condition::None);
            if needs_first && position > 0 && !before.contains(&0) {
                before.insert(0, 0);
            }
            let list: Vec<String> = before.iter().map(|other| format!("s{other}")).collect();
            let list = list.join(", ");
            let _ = writeln!(
                text,
                "  - name: s{position}\n    depends_on: [{list}]\n    continue_on_error: {may_fail}"
            );
            if *tries > 0 {
                let _ =
                    writeln!(text, "    retry: {{ max_attempts: {tries}, backoff: {} }}", 2 * (tries - 1));
            }
            text.push_str(&if position == 0 { kind_lines(Kind::Work) } else { kind_lines(*kind) });
            text.push_str(match condition {
                Condition::OfFirst if position > 0 => "    if: stages.s0.status == 'completed'\n",
                Condition::OfResult if position > 0 && !matches!(kind, Kind::Matrix(_, true)) => {
                    "    if: stages.s0.outputs.result.list.size() > 1\n"
                }
                _ => "",
            });
        }
        // Two conditions of one stage would be one key too many.
        text.replace(
            "    if: matrix.x != 1\n    if: stages.s0.status == 'completed'\n",
            "    if: matrix.x != 1\n",
        )
    })
}

const AGENT: &str = "    type: agent\n    launcher: shell\n    config: { prompt_template: ask.md }\n";

fn kind_lines(kind: Kind) -> String {
    match kind {
        Kind::Work => "    type: work\n".to_owned(),
        Kind::Agent => AGENT.to_owned(),
        Kind::Agents(items) => {
            let list: Vec<String> = (0..items).map(|item| item.to_string()).collect();
            format!("{AGENT}    matrix: {{ x: [{}] }}\n", list.join(", "))
        }
        Kind::Approval => "    type: approval\n".to_owned(),
        Kind::Uses => "    uses: child\n".to_owned(),
        Kind::Matrix(items, condition) => {
            let list: Vec<String> = (0..items).map(|item| item.to_string()).collect();
            let condition = if condition && items > 0 { "    if: matrix.x != 1\n" } else { "" };
            format!("    type: work\n    matrix: {{ x: [{}] }}\n{condition}", list.join(", "))
        }
        Kind::MatrixOfResult => {
            "    type: work\n    matrix: { x: '${{ stages.s0.outputs.result.list }}' }\n".to_owned()
        }
    }
}
