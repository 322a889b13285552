//! A scan for a person.

use super::Scan;
use crate::render::escape;
use keylane_image::{Across, Find, Findings};
use keylane_policy::instruction::Standing;
use std::fmt::Write;

/// Finds of a file that are shown; `--json` has a thousand.
const SHOWN: usize = 40;

pub(super) fn text(scan: &Scan) -> String {
    let mut text = String::new();
    for examined in &scan.told {
        let _ = writeln!(
            text,
            "{}",
            escape::line(&examined.path.display().to_string())
        );
        match &examined.result {
            Ok(findings) => file(&mut text, findings),
            Err(why) => {
                let _ = writeln!(text, "  not examined: {}", escape::line(why));
            }
        }
    }
    summary(&mut text, scan);
    text
}

fn file(text: &mut String, findings: &Findings) {
    for find in findings.finds.iter().take(SHOWN) {
        let _ = writeln!(text, "  {}", line(find));
    }
    let all = findings.refused + findings.reported;
    let more = all.saturating_sub(findings.finds.len().min(SHOWN) as u64);
    if more > 0 {
        let _ = writeln!(text, "  {more} more");
    }
    for remark in &findings.remarks {
        let _ = writeln!(text, "  note: {}", remark.words());
    }
    if all == 0 {
        let _ = writeln!(
            text,
            "  nothing found in {} executable bytes",
            findings.executable
        );
    }
}

fn line(find: &Find) -> String {
    let section = find.place.section.as_deref().unwrap_or("-");
    let symbol = match &find.place.symbol {
        Some((name, 0)) => name.clone(),
        Some((name, distance)) => format!("{name}+{distance:#x}"),
        None => "-".into(),
    };
    let across = match find.across {
        Across::Nothing => "",
        Across::Page => ", across two pages",
        Across::Segment => ", across the border of a segment",
    };
    let harmless = match find.pattern.standing {
        Standing::Refused => "",
        Standing::Reported => ", harmless outside of the kernel",
    };
    let bytes: Vec<String> = find
        .context
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "{:<8} at {:#x} (address {:#x}) in {} {}, bytes {}{across}{harmless}",
        find.pattern.name,
        find.offset,
        find.address,
        escape::line(section),
        escape::line(&symbol),
        bytes.join(" "),
    )
}

fn summary(text: &mut String, scan: &Scan) {
    let _ = writeln!(
        text,
        "{} of {} files are ELF, with {:.1} MB executable: {} refused and {} harmless finds in {} files; \
         {} not examined; {:.2} s, {:.2} GB/s",
        scan.elf,
        scan.files,
        scan.executable as f64 / 1e6,
        scan.refused,
        scan.reported,
        scan.with_finds,
        scan.errors,
        scan.took.as_secs_f64(),
        scan.bytes_per_second() / 1e9,
    );
}
