//! The way to the target without rustup's servers: Debian packages a compiler together with its standard library's
//! source and a WASI libc, from which cargo builds the target's standard library along with the components (see
//! `plugins/build`). Must not touch anything but packages.

use std::process::Command;

use docket_component_build::{Toolchain, toolchain};

use crate::process::{output, run, works};

/// The compiler, its standard library's source, and the C library it links.
const PACKAGES: [&str; 3] = ["rustc-web", "rust-web-src", "wasi-libc"];

/// Installs the packages.
///
/// # Errors
/// Why it did not work, as the end of a sentence.
pub(super) fn install() -> Result<(), String> {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !is_debian(&release) {
        return Err("this is not Debian, whose packages could help out".to_owned());
    }
    let sudo = needs_sudo()?;
    // Package lists may be missing or old: only then are they fetched.
    if run(&mut apt_get(sudo, &install_arguments())).is_err() {
        let update = run(&mut apt_get(sudo, &["update"]));
        if update.is_err() || run(&mut apt_get(sudo, &install_arguments())).is_err() {
            return Err(format!("apt-get did not install {}", PACKAGES.join(", ")));
        }
    }
    match toolchain("rustc") {
        Toolchain::Installed | Toolchain::Debian => Ok(()),
        Toolchain::Missing => Err(format!("{} do not contain what is needed here", PACKAGES.join(", "))),
    }
}

fn install_arguments() -> Vec<&'static str> {
    ["install", "--yes", "--no-install-recommends"].into_iter().chain(PACKAGES).collect()
}

fn apt_get(sudo: bool, arguments: &[&str]) -> Command {
    let mut command = Command::new(if sudo { "sudo" } else { "apt-get" });
    if sudo {
        // sudo clears the environment, so the variable goes through env.
        command.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    }
    command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
    command
}

/// Whether packages have to be installed through sudo.
fn needs_sudo() -> Result<bool, String> {
    if output(Command::new("id").arg("-u")).as_deref() == Some("0") {
        Ok(false)
    } else if works("sudo", &["-n", "true"]) {
        Ok(true)
    } else {
        Err(format!("installing {} needs root, or sudo without a password", PACKAGES.join(", ")))
    }
}

/// Whether an `os-release` file is that of Debian or of something made from it.
fn is_debian(release: &str) -> bool {
    release.lines().any(|line| {
        let value = line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE="));
        value.is_some_and(|ids| ids.trim_matches('"').split_whitespace().any(|id| id == "debian"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_and_its_relatives_are_known() {
        assert!(is_debian("NAME=\"Debian GNU/Linux\"\nID=debian\n"));
        assert!(is_debian("ID=ubuntu\nID_LIKE=debian\n"));
        assert!(is_debian("ID=mint\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!is_debian("ID=fedora\nHOME_URL=https://debian\n"));
        assert!(!is_debian(""));
    }
}
