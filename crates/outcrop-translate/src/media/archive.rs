//! Which office document an archive is: a look into its directory.

use outcrop_bedrock::converse::DocumentFormat;

use super::content::Content;

/// As much of a directory as is looked at.
const MAX_DIRECTORY_BYTES: usize = 256 * 1024;
/// The end of a ZIP's directory, with the longest comment that a writer of documents may have added.
const MAX_ZIP_TAIL_BYTES: usize = 22 + 1024;

/// A ZIP: Word's or Excel's, by the folders in its central directory (APPNOTE 6.3, 4.3.12 and 4.3.16).
pub(super) fn of_zip(content: &Content<'_>) -> Option<DocumentFormat> {
    let tail_starts = content.len().saturating_sub(MAX_ZIP_TAIL_BYTES);
    let tail = content.slice(tail_starts, MAX_ZIP_TAIL_BYTES);
    let end = tail.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let size = usize::try_from(u32_at(&tail, end + 12)?).ok()?;
    let start = usize::try_from(u32_at(&tail, end + 16)?).ok()?;
    let directory = content.slice(start, size.min(MAX_DIRECTORY_BYTES));
    let mut at = 0;
    while directory.get(at..at + 4) == Some(b"PK\x01\x02") {
        let length_at = |at| u16_at(&directory, at).map(usize::from);
        let (name, extra, comment) = (length_at(at + 28)?, length_at(at + 30)?, length_at(at + 32)?);
        match directory.get(at + 46..at + 46 + name)? {
            path if path.starts_with(b"word/") => return Some(DocumentFormat::Docx),
            path if path.starts_with(b"xl/") => return Some(DocumentFormat::Xlsx),
            _ => at += 46 + name + extra + comment,
        }
    }
    None
}

/// An OLE file: Word's or Excel's, by the streams in its directory ([MS-CFB], 2.2 and 2.6.1).
pub(super) fn of_ole(content: &Content<'_>) -> Option<DocumentFormat> {
    const ENTRY_BYTES: usize = 128;
    // The directory may be in pieces; Office writes the stream that tells into the first ones.
    const MAX_ENTRIES: usize = 32;
    let header = content.slice(0, 0x34);
    let sector_bytes = 1_usize.checked_shl(u16_at(&header, 0x1e)?.into())?;
    let sector = usize::try_from(u32_at(&header, 0x30)?).ok()?;
    let start = sector.checked_add(1)?.checked_mul(sector_bytes)?;
    let directory = content.slice(start, MAX_ENTRIES * ENTRY_BYTES);
    directory.chunks_exact(ENTRY_BYTES).find_map(|entry| {
        let name: String = entry[..64]
            .chunks_exact(2)
            .take_while(|unit| **unit != [0, 0])
            .map(|unit| char::from(unit[0]))
            .collect();
        match name.as_str() {
            "WordDocument" => Some(DocumentFormat::Doc),
            "Workbook" | "Book" => Some(DocumentFormat::Xls),
            _ => None,
        }
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    /// A ZIP of empty files with these names.
    fn zip(names: &[&str]) -> Content<'static> {
        let (mut files, mut directory) = (Vec::new(), Vec::new());
        for name in names {
            let length = (name.len() as u16).to_le_bytes();
            directory.extend_from_slice(b"PK\x01\x02");
            directory.extend_from_slice(&[0; 24]);
            directory.extend_from_slice(&length);
            directory.extend_from_slice(&[0; 16]);
            directory.extend_from_slice(name.as_bytes());
            files.extend_from_slice(b"PK\x03\x04");
            files.extend_from_slice(&[0; 22]);
            files.extend_from_slice(&length);
            files.extend_from_slice(&[0; 2]);
            files.extend_from_slice(name.as_bytes());
        }
        let start = (files.len() as u32).to_le_bytes();
        files.extend_from_slice(&directory);
        files.extend_from_slice(b"PK\x05\x06\0\0\0\0\0\0\0\0");
        files.extend_from_slice(&(directory.len() as u32).to_le_bytes());
        files.extend_from_slice(&start);
        files.extend_from_slice(&[0; 2]);
        Content::Bytes(Bytes::from(files))
    }

    /// An OLE file whose directory holds these streams.
    fn ole(names: &[&str]) -> Content<'static> {
        let mut bytes = vec![0; 512 * 3];
        bytes[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
        bytes[0x1e] = 9;
        bytes[0x30] = 1;
        for (index, name) in names.iter().enumerate() {
            for (at, letter) in name.bytes().enumerate() {
                bytes[1024 + 128 * index + 2 * at] = letter;
            }
        }
        Content::Bytes(Bytes::from(bytes))
    }

    #[test]
    fn office_documents_are_told_apart_by_what_is_in_them() {
        let of = |names: &[&str]| of_zip(&zip(names));
        assert_eq!(
            of(&["[Content_Types].xml", "word/document.xml"]),
            Some(DocumentFormat::Docx)
        );
        assert_eq!(of(&["_rels/.rels", "xl/workbook.xml"]), Some(DocumentFormat::Xlsx));
        assert_eq!(of(&["[Content_Types].xml", "ppt/presentation.xml"]), None);
        let of = |names: &[&str]| of_ole(&ole(names));
        assert_eq!(of(&["Root Entry", "1Table", "WordDocument"]), Some(DocumentFormat::Doc));
        assert_eq!(of(&["Root Entry", "Workbook"]), Some(DocumentFormat::Xls));
        assert_eq!(of(&["Root Entry", "PowerPoint Document"]), None);
    }

    #[test]
    fn a_directory_that_points_nowhere_tells_nothing() {
        let mut bytes = b"PK\x03\x04PK\x05\x06".to_vec();
        bytes.extend_from_slice(&[0xff; 18]);
        assert_eq!(of_zip(&Content::Bytes(Bytes::from(bytes))), None);
        let bytes = [&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], &[0xff; 512]].concat();
        assert_eq!(of_ole(&Content::Bytes(Bytes::from(bytes))), None);
    }
}
