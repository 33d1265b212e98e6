//! Refusals over the wire, and the page that tells of them.

use super::*;

#[test]
fn a_fault_survives_the_wire() {
    for reason in Reason::ALL {
        let fault = Fault::new(*reason, "it is so")
            .fix("do this")
            .at("vm.spec.disks[1].path", "is no file")
            .at("vm.name", "is taken")
            .retry_after(1500);
        let wire = to_wire(fault.clone());
        assert_eq!(wire.code, code(reason.kind()));
        assert_eq!(from_wire(&wire), fault);
    }
}

#[test]
fn codes_are_told_apart() {
    let mut codes: Vec<u32> = Kind::ALL.iter().map(|k| code(*k).grpc_code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Kind::ALL.len());
}

#[test]
fn an_error_without_details_gets_the_nearest_reason() {
    let away = from_wire(&ConnectError::unavailable("connection refused"));
    assert_eq!(away.reason, Reason::Away);
    assert!(!away.fix.is_empty());
    let refused = std::io::Error::from_raw_os_error(111);
    let layers = ConnectError::unavailable_from_transport("HTTP request failed", std::io::Error::other(refused));
    assert_eq!(from_wire(&layers).message, "weft does not answer: connection refused");
    assert_eq!(from_wire(&ConnectError::new(ErrorCode::DataLoss, "x")).reason, Reason::Bug);
}

/// The page's rows as cells, of tables that begin with this head.
fn rows(head: &str) -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/status-codes.md")).unwrap();
    let table = page.split(head).nth(1).unwrap().lines().skip(2);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect();
    table.take_while(|line| line.starts_with('|')).map(cells).collect()
}

#[test]
fn the_page_tells_every_kind_with_its_codes() {
    let rows = rows("| kind | Connect code | gRPC | HTTP | exit | meaning |");
    assert_eq!(rows.len(), Kind::ALL.len());
    for kind in Kind::ALL {
        let row = rows.iter().find(|row| row[0] == format!("{kind:?}")).unwrap();
        let code = code(kind);
        assert_eq!(row[1], format!("`{}`", code.as_str()), "{kind:?}");
        assert_eq!(row[2], code.grpc_code().to_string(), "{kind:?}");
        assert_eq!(row[3], code.http_status().as_u16().to_string(), "{kind:?}");
        assert!(row[4].parse::<u8>().is_ok(), "{kind:?} has no exit code");
    }
}

#[test]
fn the_page_tells_every_reason() {
    let rows = rows("| reason | kind | meaning | what to do |");
    assert_eq!(rows.len(), Reason::ALL.len(), "a reason is missing or gone");
    for reason in Reason::ALL {
        let text = reason.as_str();
        let cell = format!("<a id=\"{}\"></a>`{text}`", text.to_ascii_lowercase());
        let row = rows.iter().find(|row| row[0] == cell).unwrap_or_else(|| panic!("{text} is not told"));
        assert_eq!(row[1], format!("{:?}", reason.kind()), "{text}");
        assert!(row[2].len() > 10 && row[3].len() > 5, "{text} says too little");
    }
}
