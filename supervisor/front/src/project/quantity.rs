//! Amounts as a project's file writes them: `"16MiB"`, `"2GiB"`, a plain number of bytes.

/// The bytes that a text such as `16MiB` stands for, or `None` if it is no amount.
pub fn bytes(text: &str) -> Option<u64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let unit: u64 = match unit.trim_start() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// An amount of bytes in the largest unit that leaves it whole.
pub fn show(bytes: u64) -> String {
    let units = [
        (1u64 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ];
    for (unit, name) in units {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{} {name}", bytes / unit);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_a_number_and_a_known_unit() {
        assert_eq!(bytes("16MiB"), Some(16 << 20));
        assert_eq!(bytes("2 GiB"), Some(2 << 30));
        assert_eq!(bytes("512"), Some(512));
        assert_eq!(bytes("3kB"), Some(3000));
        for wrong in [
            "",
            "MiB",
            "1.5GiB",
            "-1",
            "16mib",
            "16 MiB x",
            "99999999999GiB",
            "0x10",
        ] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_amount_is_shown_in_its_largest_whole_unit() {
        assert_eq!(show(16 << 20), "16 MiB");
        assert_eq!(show((16 << 20) + 1), "16777217 bytes");
        assert_eq!(show(0), "0 bytes");
    }
}
