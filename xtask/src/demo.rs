//! placeholder while compiling
pub(crate) fn demo() -> Result<(), crate::failure::Failure> {
    Ok(())
}
