//! Test data: a program whose commands are an enum.
#[derive(Subcommand)]
enum Command {
    Export(Arguments),
}
