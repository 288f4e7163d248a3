//! The order of stages: what depends on what, and that nothing depends on itself.

use super::stage_names::stage_pattern;
use super::{Checker, Text};

impl Checker<'_> {
    /// Resolves `depends_on` (by default the stage before) and works out which stages are over before which.
    pub(super) fn order_stages(&mut self) {
        let raw = self.raw;
        for (position, stage) in raw.stages.iter().enumerate() {
            let depends_on = match &stage.depends_on {
                None => position.checked_sub(1).into_iter().collect(),
                Some(names) => {
                    let mut found: Vec<usize> = Vec::new();
                    for name in names {
                        match self.dependency(*name) {
                            Some(on) if !found.contains(&on) => found.push(on),
                            _ => {}
                        }
                    }
                    found
                }
            };
            self.stages[position].depends_on = depends_on;
        }
        self.report_cycles();
        for position in 0..self.stages.len() {
            self.stages[position].before = self.before(position);
        }
    }

    fn dependency(&mut self, text: Text<'_>) -> Option<usize> {
        let template = self.template(text)?;
        let pattern = match stage_pattern(&template, &self.raw.inputs) {
            Ok(pattern) => pattern,
            Err(error) => {
                self.expression_fault(text.node.location, error);
                return None;
            }
        };
        let found = self.find_stage(&pattern);
        if found.is_none() {
            let hint = self.stage_hint(text.text);
            self.fault_at(text.node.location, format!("there is no stage '{}'", text.text), hint);
        }
        found
    }

    /// Follows dependencies with an explicit stack: a definition may chain thousands of stages.
    fn report_cycles(&mut self) {
        #[derive(Clone, Copy, PartialEq)]
        enum Seen {
            Not,
            OnTheWay,
            Done,
        }
        let mut seen = vec![Seen::Not; self.stages.len()];
        let mut cycles: Vec<Vec<usize>> = Vec::new();
        for start in 0..self.stages.len() {
            let mut way: Vec<(usize, usize)> = Vec::new();
            if seen[start] == Seen::Not {
                seen[start] = Seen::OnTheWay;
                way.push((start, 0));
            }
            while let Some((stage, next)) = way.last_mut() {
                let stage = *stage;
                let Some(&on) = self.stages[stage].depends_on.get(*next) else {
                    seen[stage] = Seen::Done;
                    way.pop();
                    continue;
                };
                *next += 1;
                match seen[on] {
                    Seen::Not => {
                        seen[on] = Seen::OnTheWay;
                        way.push((on, 0));
                    }
                    Seen::OnTheWay => {
                        let from = way.iter().position(|(stage, _)| *stage == on).unwrap_or(0);
                        cycles.push(way[from..].iter().map(|(stage, _)| *stage).collect());
                    }
                    Seen::Done => {}
                }
            }
        }
        for cycle in cycles {
            self.report_cycle(cycle);
        }
    }

    fn report_cycle(&mut self, mut cycle: Vec<usize>) {
        // Begin with the stage that is first in the file, so that the same cycle always reads the same.
        let first = cycle.iter().enumerate().min_by_key(|(_, stage)| **stage).map_or(0, |(index, _)| index);
        cycle.rotate_left(first);
        cycle.extend(cycle.first().copied());
        let names: Vec<&str> =
            cycle.iter().map(|stage| self.raw.stages[*stage].name.map_or("?", |text| text.text)).collect();
        let message = format!("stages wait for each other: {}", names.join(" → "));
        let stage = &self.raw.stages[cycle[0]];
        let at =
            stage.depends_on.as_ref().and_then(|names| names.first()).map_or(stage.node, |text| text.node);
        self.fault_at(at.location, message, Some("take one of these dependencies out".to_owned()));
    }

    fn before(&self, position: usize) -> Vec<bool> {
        let mut before = vec![false; self.stages.len()];
        let mut open = self.stages[position].depends_on.clone();
        while let Some(stage) = open.pop() {
            if !before[stage] {
                before[stage] = true;
                open.extend(&self.stages[stage].depends_on);
            }
        }
        before
    }
}
