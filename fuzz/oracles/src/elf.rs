//! ELF files made from choices: what tests and the fuzz target of the ELF reader feed it.

/// A load segment to write.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// Its address.
    pub address: u64,
    /// Where its bytes lie in the file.
    pub offset: u64,
    /// Its bytes. Where segments share bytes of the file, the later one's stand there.
    pub bytes: Vec<u8>,
    /// Bytes in memory, where they are not as many as in the file.
    pub memory: Option<u64>,
    /// PF_R 4, PF_W 2, PF_X 1.
    pub flags: u32,
}

/// A file to write: 64-bit, little-endian, x86_64, a shared object.
#[derive(Clone, Debug, Default)]
pub struct Elf {
    /// Its load segments.
    pub loads: Vec<Load>,
    /// Flags of PT_GNU_STACK, if it has one.
    pub stack: Option<u32>,
    /// Entries of its dynamic section, if it has one.
    pub dynamic: Vec<(u64, u64)>,
    /// Functions: name, address, size.
    pub symbols: Vec<(String, u64, u64)>,
    /// Sections with SHF_ALLOC: name, address, size.
    pub sections: Vec<(String, u64, u64)>,
}

const PHDR: u64 = 56;

impl Elf {
    /// The file's bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut file = vec![0; 64];
        for load in &self.loads {
            put(&mut file, load.offset, &load.bytes);
        }
        let dynamic = append(
            &mut file,
            &numbers(self.dynamic.iter().flat_map(|(tag, value)| [*tag, *value])),
        );
        let mut headers = Vec::new();
        for load in &self.loads {
            let size = length(&load.bytes);
            headers.push((
                1,
                load.flags,
                load.offset,
                load.address,
                size,
                load.memory.unwrap_or(size),
            ));
        }
        if let Some(flags) = self.stack {
            headers.push((0x6474_e551, flags, 0, 0, 0, 0));
        }
        if !self.dynamic.is_empty() {
            let size = 16 * u64::try_from(self.dynamic.len()).unwrap_or(0);
            headers.push((2, 4, dynamic, 0, size, size));
        }
        let mut table = Vec::new();
        for (kind, flags, offset, address, size, memory) in &headers {
            table.extend(u32::to_le_bytes(*kind));
            table.extend(u32::to_le_bytes(*flags));
            table.extend(numbers([*offset, *address, *address, *size, *memory, 4096]));
        }
        let phoff = append(&mut file, &table);
        let (shoff, shnum) = self.write_names(&mut file);
        let mut header = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        header.extend([3, 0, 62, 0, 1, 0, 0, 0]);
        header.extend(numbers([0, phoff, shoff]));
        header.extend([0, 0, 0, 0, 64, 0]);
        header.extend(u16::try_from(PHDR).unwrap_or(0).to_le_bytes());
        header.extend(u16::try_from(headers.len()).unwrap_or(0).to_le_bytes());
        header.extend([64, 0]);
        header.extend(shnum.to_le_bytes());
        header.extend(shnum.saturating_sub(1).to_le_bytes());
        put(&mut file, 0, &header);
        file
    }

    /// Symbols, strings and section headers: where the headers lie, and how many there are. The last
    /// section is that of the strings.
    fn write_names(&self, file: &mut Vec<u8>) -> (u64, u16) {
        let mut strings = vec![0];
        let mut string = |name: &str| {
            let at = u32::try_from(strings.len()).unwrap_or(0);
            strings.extend(name.bytes().chain([0]));
            at
        };
        let mut symbols = vec![0; 24];
        for (name, address, size) in &self.symbols {
            symbols.extend(string(name).to_le_bytes());
            // A global function in some section.
            symbols.extend([0x12, 0, 1, 0]);
            symbols.extend(numbers([*address, *size]));
        }
        let named: Vec<_> = self
            .sections
            .iter()
            .map(|one| (string(&one.0), one.1, one.2))
            .collect();
        let last = u32::try_from(self.sections.len() + 2).unwrap_or(0);
        let symbols = (append(file, &symbols), length(&symbols));
        let strings = (append(file, &strings), length(&strings));
        // name, type, flags, address, offset, size, link.
        let mut headers: Vec<(u32, u32, u64, u64, u64, u64, u32)> = vec![(0, 0, 0, 0, 0, 0, 0)];
        headers.extend(
            named
                .iter()
                .map(|(name, address, size)| (*name, 1, 6, *address, 0, *size, 0)),
        );
        headers.push((0, 2, 0, 0, symbols.0, symbols.1, last));
        headers.push((0, 3, 0, 0, strings.0, strings.1, 0));
        let mut table = Vec::new();
        for (name, kind, flags, address, offset, size, link) in &headers {
            table.extend(name.to_le_bytes());
            table.extend(kind.to_le_bytes());
            table.extend(numbers([*flags, *address, *offset, *size]));
            table.extend(link.to_le_bytes());
            table.extend([0; 4]);
            table.extend(numbers([1, 24]));
        }
        (
            append(file, &table),
            u16::try_from(headers.len()).unwrap_or(0),
        )
    }
}

fn numbers(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    numbers.into_iter().flat_map(u64::to_le_bytes).collect()
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Writes bytes at an offset, which is that of a small file.
fn put(file: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let start = usize::try_from(offset).unwrap_or(0);
    let end = start + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    if let Some(place) = file.get_mut(start..end) {
        place.copy_from_slice(bytes);
    }
}

/// Appends bytes and says where.
fn append(file: &mut Vec<u8>, bytes: &[u8]) -> u64 {
    let at = length(file);
    file.extend_from_slice(bytes);
    at
}
