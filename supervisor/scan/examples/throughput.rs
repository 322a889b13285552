//! How fast the scanner is, beside what reading and copying the same bytes costs.
//!
//! `cargo run --release -p keylane-scan --example throughput [FILE]`; without a file, the C library.
//! Best of five rounds, on warm data; the rounds of all ways are interleaved.

#![forbid(unsafe_code)]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

const WARM: usize = 64 << 20;

type Way = (&'static str, fn(&[u8], &mut [u8]) -> usize);

const WAYS: [Way; 4] = [
    ("scan", |bytes, _| {
        let mut finds = 0;
        keylane_scan::each(bytes, |_, _| finds += 1);
        finds
    }),
    ("count 0F bytes", |bytes, _| {
        bytes.iter().map(|byte| usize::from(*byte == 0x0f)).sum()
    }),
    ("add up words", |bytes, _| {
        let words = bytes.as_chunks::<8>().0.iter();
        let sum = words.fold(0_u64, |sum, word| {
            sum.wrapping_add(u64::from_le_bytes(*word))
        });
        usize::from(sum == 1)
    }),
    ("memcpy", |bytes, copy| {
        copy.copy_from_slice(bytes);
        0
    }),
];

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1);
    let file = file.unwrap_or_else(|| "/lib/x86_64-linux-gnu/libc.so.6".into());
    let sample = std::fs::read(&file)?;
    let bytes: Vec<u8> = sample.iter().copied().cycle().take(WARM).collect();
    let cached = bytes.get(..256 << 10).unwrap_or_default();
    let mut copy = vec![0; bytes.len()];
    for (data, times, said) in [(&*bytes, 1, "64 MiB"), (cached, 256, "256 KiB, in cache")] {
        let copy = copy.get_mut(..data.len()).unwrap_or_default();
        let mut best = WAYS.map(|_| f64::INFINITY);
        for _ in 0..5 {
            for ((_, way), best) in WAYS.iter().zip(&mut best) {
                let start = Instant::now();
                for _ in 0..times {
                    black_box(way(black_box(data), copy));
                }
                *best = best.min(start.elapsed().as_secs_f64());
            }
        }
        for ((name, _), best) in WAYS.iter().zip(best) {
            let rate = (data.len() * times) as f64 / best / 1e9;
            println!("{said:<18} {name:<15} {rate:>6.2} GB/s");
        }
    }
    Ok(())
}
