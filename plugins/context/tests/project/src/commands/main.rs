//! Test data: a program whose commands are an enum.
enum Command {
    Export(Arguments),
}
