//! Calls to the file system, below the library: what a path or a flag may be is left to the host.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Advice, Descriptor, DescriptorFlags, DirectoryEntryStream, NewTimestamp, OpenFlags, PathFlags,
};
use wasip2::io::streams::{InputStream, OutputStream};

use crate::program::Program;

/// Everything that is open.
pub(crate) struct Files {
    open: Vec<Descriptor>,
    folders: Vec<DirectoryEntryStream>,
    inputs: Vec<InputStream>,
    outputs: Vec<OutputStream>,
}

impl Files {
    /// The folders that are there from the start.
    pub(crate) fn new() -> Self {
        let open = get_directories().into_iter().map(|(folder, _)| folder).collect();
        Self { open, folders: Vec::new(), inputs: Vec::new(), outputs: Vec::new() }
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.open.len()
    }

    /// One more.
    pub(crate) fn add(&mut self, file: Descriptor) {
        self.open.push(file);
    }

    /// One call; what it read.
    pub(crate) fn step(&mut self, step: u8, program: &mut Program<'_>) -> Option<Vec<u8>> {
        let open = self.open.get(program.below(self.open.len()))?;
        let mut opened = None;
        let found = match step {
            0..=9 => {
                opened = open.open_at(flags(program), &program.path(), kind(program), rights(program)).ok();
                None
            }
            10 | 11 => open.read(program.number(), program.number()).ok().map(|(bytes, _)| bytes),
            12 | 13 => drop_all(open.write(program.text().as_bytes(), program.number())),
            14 => drop_all(open.set_size(program.number())),
            15 | 16 => drop_all(open.create_directory_at(&program.path())),
            17 => drop_all(open.remove_directory_at(&program.path())),
            18 => drop_all(open.unlink_file_at(&program.path())),
            19 | 20 => {
                let to = self.open.get(program.below(self.open.len()))?;
                drop_all(open.rename_at(&program.path(), to, &program.path()))
            }
            21 | 22 => {
                let to = self.open.get(program.below(self.open.len()))?;
                drop_all(open.link_at(flags(program), &program.path(), to, &program.path()))
            }
            23..=25 => drop_all(open.symlink_at(&program.path(), &program.path())),
            26 => open.readlink_at(&program.path()).ok().map(String::into_bytes),
            27 => drop_all(open.stat_at(flags(program), &program.path())),
            28 => drop_all(open.set_times_at(flags(program), &program.path(), time(program), time(program))),
            29 => drop_all(open.set_times(time(program), time(program))),
            30 => {
                self.folders.extend(open.read_directory());
                None
            }
            31 => {
                let entry = self.folders.get(program.below(self.folders.len()))?.read_directory_entry();
                entry.ok().flatten().map(|entry| entry.name.into_bytes())
            }
            32 => {
                self.inputs.extend(open.read_via_stream(program.number()));
                None
            }
            33 => self.inputs.get(program.below(self.inputs.len()))?.read(program.number()).ok(),
            34 => {
                self.outputs.extend(open.write_via_stream(program.number()));
                self.outputs.extend(open.append_via_stream());
                None
            }
            35 => {
                let output = self.outputs.get(program.below(self.outputs.len()))?;
                // Writing more than was permitted is a mistake that the host answers with a trap.
                let permitted = output.check_write().ok()?;
                let text = program.text();
                let length = text.len().min(usize::try_from(permitted).unwrap_or(usize::MAX));
                let length = if program.below(16) == 0 { text.len() } else { length };
                drop_all(output.write(text.as_bytes().get(..length)?))
            }
            36 => drop_all(self.outputs.get(program.below(self.outputs.len()))?.blocking_flush()),
            37 => drop_all(open.metadata_hash_at(flags(program), &program.path())),
            38 => drop_all(open.advise(program.number(), program.number(), Advice::WillNeed)),
            _ => {
                let _ = (open.sync(), open.stat(), open.get_flags(), open.get_type());
                let other = self.open.get(program.below(self.open.len()))?;
                let _ = open.is_same_object(other);
                None
            }
        };
        self.open.extend(opened);
        if program.below(32) == 31 && self.open.len() > 1 {
            self.open.swap_remove(program.below(self.open.len()));
        }
        found
    }
}

/// The call was made; what it says is the host's business.
fn drop_all<T>(_said: T) -> Option<Vec<u8>> {
    None
}

fn flags(program: &mut Program<'_>) -> PathFlags {
    PathFlags::from_bits_truncate(program.byte().unwrap_or_default())
}

fn kind(program: &mut Program<'_>) -> OpenFlags {
    OpenFlags::from_bits_truncate(program.byte().unwrap_or_default())
}

fn rights(program: &mut Program<'_>) -> DescriptorFlags {
    DescriptorFlags::from_bits_truncate(program.byte().unwrap_or_default())
}

fn time(program: &mut Program<'_>) -> NewTimestamp {
    let seconds = program.number();
    match program.below(3) {
        0 => NewTimestamp::NoChange,
        1 => NewTimestamp::Now,
        _ => NewTimestamp::Timestamp(wasip2::clocks::wall_clock::Datetime {
            seconds,
            nanoseconds: u32::try_from(program.number() % (1 << 32)).unwrap_or_default(),
        }),
    }
}
