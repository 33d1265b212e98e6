//! A client among servers that do what they should not.

use super::*;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use weft_ports::task::{self, Task};

const LIMIT: Duration = Duration::from_secs(20);

/// A server that reads one request for each of these answers, gives it and closes.
struct Server {
    folder: TempDir,
    heard: Task<Vec<String>>,
}

impl Server {
    fn that_says(answers: Vec<Vec<u8>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("api.sock")).unwrap();
        let heard = task::spawn("test-server", async move {
            let mut heard = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                heard.push(read_request(&mut stream).await);
                // A client may leave in the middle of a long answer.
                let _ = stream.write_all(&answer).await;
            }
            heard
        });
        Self { folder, heard }
    }

    fn client(&self) -> Client {
        Client::new(self.folder.path().join("api.sock"))
    }
}

async fn read_request(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(String::from));
            if body.len() >= length.and_then(|text| text.parse().ok()).unwrap_or(0) {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return text;
        }
    }
}

fn reply(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

async fn answer(bytes: impl Into<Vec<u8>>) -> Result<Value, Error> {
    let server = Server::that_says(vec![bytes.into()]);
    server.client().send(&Call::get("/vm"), LIMIT).await
}

#[tokio::test]
async fn a_call_says_what_it_should_and_reads_the_answer() {
    let server = Server::that_says(vec![reply("200 OK", "{\"state\":\"Running\"}"), reply("204 No Content", "")]);
    let client = server.client();
    assert_eq!(client.get::<Value>("/", LIMIT).await.unwrap(), json!({"state": "Running"}));
    let call = Call::with(Method::Put, "/drives/a", json!({"drive_id": "a"}));
    assert_eq!(client.send(&call, LIMIT).await.unwrap(), Value::Null);
    let heard = server.heard.await.unwrap();
    assert!(heard[0].starts_with("GET / HTTP/1.1\r\n") && !heard[0].contains("content-type"), "{}", heard[0]);
    assert!(heard[1].starts_with("PUT /drives/a HTTP/1.1\r\n"), "{}", heard[1]);
    assert!(heard[1].contains("content-length: 16\r\n") && heard[1].ends_with("{\"drive_id\":\"a\"}"), "{}", heard[1]);
}

#[tokio::test]
async fn an_answer_may_end_with_the_connection() {
    let open_ended = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[1]";
    assert_eq!(answer(open_ended).await.unwrap(), json!([1]));
    assert_eq!(answer("HTTP/1.1 204 \r\nServer: X\r\n\r\n").await.unwrap(), Value::Null);
}

#[tokio::test]
async fn a_refusal_is_told_in_its_own_words_whatever_its_form() {
    let table = [
        ("400 Bad Request", "{\"fault_message\":\"No such drive.\"}", "No such drive."),
        (
            "400 Bad Request",
            "{ \"error\": \"Too big.\nAll is dropped.\" }",
            "{ \"error\": \"Too big. All is dropped.\" }",
        ),
        ("500 Internal Server Error", "[\"The VM failed\",\"Disk is away\"]", "The VM failed: Disk is away"),
        ("503 Service Unavailable", "{\"error\":\"Too many connections.\"}", "Too many connections."),
        ("500 Internal Server Error", "plain \u{1b}[1m words\r\n", "plain [1m words"),
        ("404 Not Found", "", "it does not say why"),
        ("400 Bad Request", "{\"code\":3}", "{\"code\":3}"),
        ("302 Found", "", "it does not say why"),
    ];
    for (status, body, wanted) in table {
        match answer(reply(status, body)).await {
            Err(Error::Refused { status: number, said, call }) => {
                assert_eq!((said.as_str(), call.as_str()), (wanted, "GET /vm"), "{body}");
                assert!(status.starts_with(&number.to_string()));
            }
            other => panic!("{status} {body}: {other:?}"),
        }
    }
    let long = answer(reply("400 Bad Request", &"x".repeat(100_000))).await.unwrap_err();
    assert!(long.is_refusal() && long.said().len() == MAX_SAID);
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    let truncated = reply("200 OK", "{\"a\":1}");
    let broken: [(&str, Vec<u8>); 8] = [
        ("closed at once", Vec::new()),
        ("cut in the head", b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()),
        ("cut in the body", truncated[..truncated.len() - 3].to_vec()),
        ("not HTTP", b"\x00\xff\xfe garbage \r\n\r\n".to_vec()),
        ("another protocol", b"SSH-2.0-OpenSSH\r\n".to_vec()),
        ("a length that is none", b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n{}".to_vec()),
        ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 7\r\n\r\n{}".to_vec()),
        ("a head without end", [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 4 * MAX_HEAD]].concat()),
    ];
    for (what, bytes) in broken {
        let error = answer(bytes).await.expect_err(what);
        assert!(matches!(error, Error::Broken { .. }), "{what}: {error:?}");
    }
    for text in ["{", "{\"a\":1}{", "\u{0}"] {
        let error = answer(reply("200 OK", text)).await.expect_err(text);
        assert!(matches!(error, Error::Garbled { .. }), "{text:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_huge_answer_is_cut_off() {
    let huge = format!("\"{}\"", "x".repeat(MAX_ANSWER));
    assert!(matches!(answer(reply("200 OK", &huge)).await, Err(Error::Long { .. })));
    let endless = [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec(), vec![b'7'; MAX_ANSWER + 10]].concat();
    assert!(matches!(answer(endless).await, Err(Error::Long { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_given_up_and_the_next_call_is_not_confused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let server = task::spawn("test-server", async move {
        let (mut silent, _) = listener.accept().await.unwrap();
        read_request(&mut silent).await;
        let (mut next, _) = listener.accept().await.unwrap();
        read_request(&mut next).await;
        let _ = silent.write_all(&reply("200 OK", "\"late\"")).await;
        next.write_all(&reply("200 OK", "\"right\"")).await.unwrap();
    });
    let client = Client::new(path);
    let limit = Duration::from_millis(50);
    let error = client.send(&Call::get("/slow"), limit).await.unwrap_err();
    assert!(matches!(error, Error::Late { .. }), "{error:?}");
    assert_eq!(client.get::<String>("/next", LIMIT).await.unwrap(), "right");
    server.await.unwrap();
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let client = Client::new(path.clone());
    assert!(client.send(&Call::get("/"), LIMIT).await.unwrap_err().is_absence());
    let other = UnixListener::bind(folder.path().join("other.sock")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("other.sock"), &path).unwrap();
    assert!(client.send(&Call::get("/"), LIMIT).await.unwrap_err().is_absence(), "a link is not followed");
    drop(other);
    std::fs::remove_file(&path).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    assert!(client.send(&Call::get("/"), LIMIT).await.unwrap_err().is_absence(), "a socket that nobody holds");
}

#[tokio::test]
async fn an_answer_of_another_form_is_garbled() {
    let server = Server::that_says(vec![reply("200 OK", "{\"state\":3}")]);
    #[derive(Debug, serde::Deserialize)]
    struct Vm {
        #[expect(dead_code, reason = "only its form matters")]
        state: String,
    }
    let error = server.client().get::<Vm>("/", LIMIT).await.unwrap_err();
    assert!(matches!(error, Error::Garbled { .. }), "{error:?}");
}
