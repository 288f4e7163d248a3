//! Agents that tell step by step what they do and what they use, each held in the test's hand by the name of its stage.
//! Their launcher is the test plugin. Has no tests of its own.

use docket_tests::Place;
use serde_json::{Value, json};

use crate::crew::{Crew, TEMPLATE, define};
use crate::place;
use crate::sandbox::{PLUGIN, guest_with_spawn, with_manifest};
use crate::support::CONFIG;

/// Waits for a file of its folder; gives up by itself should it never be there.
const HOLD: &str = "hold() { tries=0; while [ ! -e \"$1/$2\" ] && [ ! -e \"$1/go\" ] && [ $tries -lt 1200 ]; \
                     do sleep 0.05; tries=$((tries+1)); done; }\n";

/// A step that says what it is doing and has cost so much, in US dollars.
pub(crate) fn step(doing: &str, cost: f64) -> String {
    let said = json!({ "doing": doing });
    let used = json!({ "used": { "input_tokens": 1000, "output_tokens": 50, "cost_usd": cost } });
    format!("printf '%s\\n' '{said}' '{used}'\n")
}

/// A step that waits until the test lets it go on with [`allow`].
pub(crate) fn wait_for(file: &str) -> String {
    format!("hold \"$1\" {file}\n")
}

/// Lets agents go on that wait for this.
pub(crate) fn allow(place: &Place, file: &str) {
    std::fs::write(place.home().join("agent").join(file), "").expect("written");
}

/// A place with agents that do this.
pub(crate) fn metered(work: &str) -> (Place, Crew) {
    let place = place();
    let crew = Crew::new(&place, &format!("{HOLD}{work}"));
    let launcher = with_manifest(&guest_with_spawn(), |manifest| {
        manifest["launcher"] = json!("metered");
        manifest["capabilities"] = json!({ "exec": true });
        manifest["stages"] =
            json!([{ "type": "agent", "description": "Asks an agent", "config": {}, "result": {} }]);
    });
    place.write(PLUGIN, launcher);
    (place, crew)
}

/// A stage with such an agent.
pub(crate) fn agent(name: &str, more: Value) -> Value {
    let mut stage = json!({
        "name": name, "type": "agent", "launcher": "metered",
        "config": { "prompt_template": TEMPLATE, "act": "meter" },
    });
    stage.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    stage
}

/// A project's definition `crew` of these stages, with this budget.
pub(crate) fn define_with(place: &Place, budget: &Value, stages: Value) {
    let mut definition = json!({ "max_parallel": 4, "stages": stages });
    if !budget.is_null() {
        definition["budget"] = budget.clone();
    }
    define(place, definition);
}

/// Adds lines to the user's settings.
pub(crate) fn settings(place: &Place, lines: &str) {
    let before = std::fs::read_to_string(place.docket_home().join(CONFIG)).expect("settings");
    place.write_home(CONFIG, format!("{before}{lines}"));
}
