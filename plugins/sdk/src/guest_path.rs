//! Where a plugin finds things inside its sandbox. Names only: nothing here touches a file.

/// The granted folders and files of the project, read-only.
pub const PROJECT: &str = "/project";
/// Copies of the run's inputs and of outputs of earlier stages, read-only.
pub const INPUTS: &str = "/in";
/// What is written below proposes a file of the same path in the project.
pub const PROPOSALS: &str = "/out";
/// Private to the plugin and project; there only when granted; survives runs.
pub const CACHE: &str = "/cache";
