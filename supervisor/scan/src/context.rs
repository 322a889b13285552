//! The instructions around the few places where a C library holds a forbidden instruction on purpose.
//!
//! Each function takes the bytes before a find and those from its escape byte on, and gives the length of the
//! instruction if what stands around it is as that place has it. What a place claims by this decides only
//! whether its code still works once it is made harmless, never whether it is: the result is searched again.
//!
//! Sources: glibc, sysdeps/x86_64/dl-trampoline.h and dl-tlsdesc-dynamic.h,
//! sysdeps/unix/sysv/linux/x86/pkey_set.c; the context as disassembled from glibc 2.36.

/// RDPKRU, which `pkey_set` executes first.
const RDPKRU: [u8; 3] = [0x0f, 0x01, 0xee];
/// Bytes of code before a WRPKRU in which that must stand.
const PKEY_SET_BYTES: usize = 64;

/// UD2, which ends who gets there with SIGILL, and what fills the rest.
const ILLEGAL: [u8; 2] = [0x0f, 0x0b];
const NOP: u8 = 0x90;

/// What stands in the place of an instruction of this length, once it is harmless.
pub fn harmless(length: usize) -> Vec<u8> {
    let mut bytes = ILLEGAL.to_vec();
    bytes.resize(length, NOP);
    bytes
}

/// `rdpkru ... wrpkru; xor %eax,%eax`.
pub fn pkey_set(before: &[u8], from: &[u8]) -> Option<usize> {
    let near = before.get(before.len().saturating_sub(PKEY_SET_BYTES)..)?;
    let reads = near.windows(RDPKRU.len()).any(|bytes| bytes == RDPKRU);
    let ends = from.get(3..5)? == [0x31, 0xc0];
    (reads && ends).then_some(3)
}

/// `mov $MASK,%eax; xor %edx,%edx; xrstor 0x40(%rsp); mov 0x30(%rsp),%r9`.
pub fn lazy_resolver(before: &[u8], from: &[u8]) -> Option<usize> {
    let length = behind_mask(before, from)?;
    (from.get(length..length + 5)? == [0x4c, 0x8b, 0x4c, 0x24, 0x30]).then_some(length)
}

/// `mov $MASK,%eax; xor %edx,%edx; xrstor DISPLACEMENT(%rsp)`, where the mask leaves PKRU alone.
pub fn behind_mask(before: &[u8], from: &[u8]) -> Option<usize> {
    let [.., 0xb8, a, b, c, d, 0x31, 0xd2] = before else {
        return None;
    };
    let restores_pkru = u32::from_le_bytes([*a, *b, *c, *d]) & 1 << 9 != 0;
    let length = match from {
        [0x0f, 0xae, 0x6c, 0x24, ..] => 5,
        [0x0f, 0xae, 0xac, 0x24, ..] => 8,
        _ => return None,
    };
    (!restores_pkru && from.len() >= length).then_some(length)
}
