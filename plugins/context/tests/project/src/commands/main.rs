enum Command {
    Export(Arguments),
}
