//! Which kernels Keylane can stand on. Pure.

/// The oldest kernel for isolation `process`: Debian 12's.
pub const PROCESS: (u32, u32) = (6, 1);

/// The oldest kernel for isolation `mpk`: the first that opens protection keys to deliver a
/// signal.
pub const MPK: (u32, u32) = (6, 12);

/// `major.minor` of a kernel's release (`uname(2)`); none if it does not begin with two numbers.
pub fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_begins_with_two_numbers() {
        for (release, found) in [
            ("6.1.0-37-amd64", Some((6, 1))),
            ("6.12+deb", Some((6, 12))),
            ("10.2-rc1", Some((10, 2))),
            ("six", None),
            ("6", None),
            ("", None),
        ] {
            assert_eq!(version(release), found, "{release}");
        }
    }
}
