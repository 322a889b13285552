//! A scan for a program: docs/CLI.md describes the document.

use super::{Examined, Scan};
use keylane_image::{Across, Find, Remark};
use keylane_policy::instruction::Standing;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Document {
    files: Vec<File>,
    summary: Summary,
}

#[derive(Serialize)]
struct File {
    path: String,
    executable_bytes: u64,
    refused: u64,
    reported: u64,
    finds: Vec<Row>,
    remarks: Vec<&'static str>,
    error: Option<String>,
}

#[derive(Serialize)]
struct Row {
    instruction: &'static str,
    standing: &'static str,
    offset: u64,
    address: u64,
    section: Option<String>,
    symbol: Option<String>,
    symbol_offset: Option<u64>,
    across: Option<&'static str>,
    bytes: String,
}

#[derive(Serialize)]
struct Summary {
    files: u64,
    elf: u64,
    executable_bytes: u64,
    refused: u64,
    reported: u64,
    files_with_finds: u64,
    errors: u64,
    seconds: f64,
    bytes_per_second: f64,
}

pub(super) fn document(scan: &Scan) -> Document {
    Document {
        files: scan.told.iter().map(file).collect(),
        summary: Summary {
            files: scan.files,
            elf: scan.elf,
            executable_bytes: scan.executable,
            refused: scan.refused,
            reported: scan.reported,
            files_with_finds: scan.with_finds,
            errors: scan.errors,
            seconds: scan.took.as_secs_f64(),
            bytes_per_second: scan.bytes_per_second(),
        },
    }
}

fn file(examined: &Examined) -> File {
    let findings = examined.result.as_ref().ok();
    File {
        path: examined.path.display().to_string(),
        executable_bytes: findings.map_or(0, |findings| findings.executable),
        refused: findings.map_or(0, |findings| findings.refused),
        reported: findings.map_or(0, |findings| findings.reported),
        finds: findings.map_or(Vec::new(), |findings| {
            findings.finds.iter().map(row).collect()
        }),
        remarks: findings.map_or(Vec::new(), |findings| {
            findings
                .remarks
                .iter()
                .copied()
                .map(Remark::words)
                .collect()
        }),
        error: examined.result.as_ref().err().cloned(),
    }
}

fn row(find: &Find) -> Row {
    let (symbol, symbol_offset) = find.place.symbol.clone().unzip();
    Row {
        instruction: find.pattern.name,
        standing: match find.pattern.standing {
            Standing::Refused => "refused",
            Standing::Reported => "reported",
        },
        offset: find.offset,
        address: find.address,
        section: find.place.section.clone(),
        symbol,
        symbol_offset,
        across: match find.across {
            Across::Nothing => None,
            Across::Page => Some("page"),
            Across::Segment => Some("segment"),
        },
        bytes: find
            .context
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    }
}
