//! Whatever comes over the socket ends in an answer or an error, never in a hang, a panic or a flood.

use super::*;
use proptest::prelude::*;
use tokio::io::{DuplexStream, duplex};

const GREETING: &str =
    r#"{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}"#;
const LIMIT: Duration = Duration::from_secs(5);

/// A client to whom all of this is said, then the other side says no more.
async fn told(words: &[u8]) -> (Client<DuplexStream>, DuplexStream) {
    let (near, mut far) = duplex(words.len() + 4_096);
    far.write_all(words).await.expect("it fits");
    far.shutdown().await.expect("it closes");
    (Client::new(near), far)
}

fn script(lines: &[&str]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect()
}

#[tokio::test]
async fn a_lawful_talk_keeps_events_in_order() {
    let words = script(&[
        GREETING,
        r#"{"return": {}, "id": 1}"#,
        r#"{"event": "RESET", "data": {"guest": true, "reason": "guest-reset"}, "timestamp": {"seconds": 1, "microseconds": 2}}"#,
        r#"{"return": {"status": "running", "running": true, "singlestep": false}, "id": 2}"#,
        r#"{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}"#,
        r#"{"event": "STOP"}"#,
    ]);
    let (mut client, _far) = told(&words).await;
    let sent = client.introduce().await.expect("it is sent");
    assert_eq!(client.introduced(sent).await.expect("it is answered"), Status::Running);
    assert_eq!(client.event().await.expect("an event"), Event::Reset { by_guest: true });
    assert_eq!(client.event().await.expect("an event"), Event::Shutdown(Shutdown::Guest));
    assert_eq!(client.event().await.expect("an event"), Event::Turned);
    assert!(matches!(client.event().await, Err(Error::Closed)));
}

#[tokio::test]
async fn a_refusal_is_told_in_qemus_words() {
    let refusal =
        r#"{"id": 1, "error": {"class": "GenericError", "desc": "Resetting the Virtual Machine is required"}}"#;
    let (mut client, _far) = told(&script(&[refusal])).await;
    let error = client.call("cont", &Value::Null, LIMIT).await.expect_err("it is refused");
    assert_eq!(error.to_string(), "QEMU refused cont: Resetting the Virtual Machine is required");
}

#[tokio::test]
async fn what_is_not_qmp_is_an_error() {
    let long = format!("{{\"event\": \"{}\"}}", "x".repeat(MAX_LINE + 10));
    let deep = "[".repeat(100_000);
    let table: &[(&[u8], &str)] = &[
        (b"", "closed"),
        (b"{\"return\": {}", "closed"),
        (b"hello\n", "not QMP"),
        (b"\xff\xfe\xfd\n", "not QMP"),
        (b"null\n", "neither an event nor an answer"),
        (b"[]\n", "neither an event nor an answer"),
        (b"{}\n", "neither an event nor an answer"),
        (b"{\"event\": 7}\n", "an event without a name"),
        (b"{\"return\": {}}\n", "an answer without an id"),
        (b"{\"return\": {}, \"id\": \"one\"}\n", "an answer without an id"),
        (b"{\"return\": {}, \"id\": 99}\n", "nobody asked"),
        (b"{\"error\": {\"desc\": \"JSON parse error\"}}\n", "JSON parse error"),
        (b"{\"error\": 5, \"id\": 1}\n", "does not say why"),
        (b"{\"QMP\": {}}\n", "nobody asked"),
        (long.as_bytes(), "more than"),
        (deep.as_bytes(), "closed"),
    ];
    for (words, why) in table {
        let (mut client, _far) = told(words).await;
        let error = client.call("query-status", &Value::Null, LIMIT).await.expect_err("it is no answer").to_string();
        assert!(error.contains(why), "{error:?} should tell of {why:?}");
    }
}

#[tokio::test]
async fn nesting_without_end_is_an_error() {
    let (mut client, _far) = told(&script(&["[".repeat(100_000).as_str()])).await;
    assert!(matches!(client.event().await, Err(Error::Garbled { .. })));
}

#[tokio::test]
async fn a_status_without_its_name_is_an_error() {
    for status in [r#"{"return": {}, "id": 1}"#, r#"{"return": {"status": "running"}, "id": 1}"#] {
        let (mut client, _far) = told(&script(&[status])).await;
        assert!(matches!(client.status(LIMIT).await, Err(Error::Garbled { .. })), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_an_error_in_time() {
    let (near, _far) = duplex(4_096);
    let mut client = Client::new(near);
    let before = tokio::time::Instant::now();
    let error = client.call("stop", &Value::Null, LIMIT).await.expect_err("nobody answers");
    assert_eq!(error.to_string(), "QEMU did not answer stop in 5s");
    assert_eq!(before.elapsed(), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_not_taken_for_the_next() {
    let (near, mut far) = duplex(4_096);
    let mut client = Client::new(near);
    assert!(matches!(client.call("stop", &Value::Null, LIMIT).await, Err(Error::Late { .. })));
    let words = script(&[r#"{"return": {"late": true}, "id": 1}"#, r#"{"return": {"late": false}, "id": 2}"#]);
    far.write_all(&words).await.expect("it fits");
    assert_eq!(client.call("cont", &Value::Null, LIMIT).await.expect("it is answered"), json!({"late": false}));
}

#[tokio::test]
async fn a_flood_of_events_is_an_error() {
    let reset = r#"{"event": "RESET", "data": {"guest": true}}"#;
    let (mut client, _far) = told(&script(&[reset; MAX_EVENTS + 1])).await;
    assert!(matches!(client.call("stop", &Value::Null, LIMIT).await, Err(Error::Flooded)));
}

#[tokio::test]
async fn a_line_may_come_in_pieces() {
    let (near, mut far) = duplex(4_096);
    let mut client = Client::new(near);
    let words = script(&[r#"{"event": "GUEST_PANICKED", "data": {"action": "pause"}}"#]);
    let whole = async {
        for byte in &words {
            far.write_all(&[*byte]).await.expect("it fits");
            tokio::task::yield_now().await;
        }
    };
    let (event, ()) = tokio::join!(client.event(), whole);
    assert_eq!(event.expect("an event"), Event::Panicked);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_hang(words: Vec<u8>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let (mut client, _far) = told(&words).await;
            while client.event().await.is_ok() {}
        });
    }

    #[test]
    fn no_json_makes_it_panic(text in r#"\{"(event|return|error|QMP|id)": ?(1|"a"|null|\{\}|\[\])(, ?"(id|data|return)": ?(1|"a"|\{\}))?\}"#) {
        let _ = Message::read(text.as_bytes());
    }
}
