//! What launchers share, whatever way they reach their agent: [`answer`] finds the JSON in what an agent said,
//! [`prompt`] asks for the schema where the agent takes none natively, and [`ask`] has an answer that does not fit
//! mended in the same session. [`tail`] and [`words`] put an agent's last lines and activities into errors and progress.
//! A library of docket's own launchers, not part of the contract; it starts no process and must not know any agent.

pub mod answer;
pub mod ask;
pub mod profile;
pub mod prompt;
pub mod tail;
pub mod words;
