//! Our ids as UUIDs, where Docker Hub has those and its clients look whether they are.

use super::error::HubError;

/// An id in the lower half of a UUID.
pub(super) fn uuid(id: i64) -> String {
    let hex = format!("{:016x}", id.cast_unsigned());
    format!("00000000-0000-0000-{}-{}", &hex[..4], &hex[4..])
}

/// The same without dashes, as Docker Hub writes the ids of people.
pub(super) fn plain(id: i64) -> String {
    format!("{:032x}", id.cast_unsigned())
}

/// The id of a UUID, or one that is written as a number; none of a text that is neither.
pub(super) fn id_of(text: &str) -> Result<i64, HubError> {
    let unknown = || HubError::new(http::StatusCode::NOT_FOUND, "there is nothing of this id");
    // A UUID may have decimal digits alone; a number is never as long.
    if text.len() < 32
        && let Ok(id) = text.parse()
    {
        return Ok(id);
    }
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    let digits = hex
        .strip_prefix("0000000000000000")
        .filter(|rest| rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_hexdigit()));
    let digits = digits.ok_or_else(unknown)?;
    u64::from_str_radix(digits, 16)
        .map(u64::cast_signed)
        .map_err(|_| unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_goes_there_and_back() {
        // The hexadecimal digits of the last are decimal ones.
        for id in [
            0,
            1,
            4_294_967_296,
            123_456_789_012_345_678,
            i64::MAX,
            0x0512_3456_7890_1234,
        ] {
            assert_eq!(uuid(id).len(), 36);
            assert_eq!(id_of(&plain(id)).unwrap(), id);
            assert_eq!(id_of(&uuid(id)).unwrap(), id);
            assert_eq!(id_of(&id.to_string()).unwrap(), id);
        }
        for text in [
            "",
            "x",
            "8208674e-d08a-426f-b6f4-e3aba7058459",
            "00000000-0000-0000-0000-00000000000g",
            "ä",
        ] {
            assert!(id_of(text).is_err(), "{text}");
        }
    }
}
