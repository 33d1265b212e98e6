//! The guest's own agent, spoken with over its channel.
//!
//! ```text
//!  0xFF {"execute": "guest-sync-delimited", "arguments": {"id": n}}  ──►
//!                                             0xFF {"return": n}  ◄──   whatever came before is old
//!  {"execute": "guest-shutdown"} ──►                             (no answer where it is done)
//! ```
//!
//! What comes is the guest's, so it is bounded in size and time and believed in nothing but that the agent
//! is there.

use serde_json::{Value, json};
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// The most that is read for one answer, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// The byte that tells the old from the new.
const DELIMITER: u8 = 0xFF;
/// The time in which an agent that is there answers.
const LIMIT: Duration = Duration::from_secs(3);
/// The time in which one that cannot do what it is asked says so.
const REFUSAL: Duration = Duration::from_millis(500);

/// Answers when the agent has answered.
pub(super) async fn ping(socket: &Path) -> io::Result<()> {
    within(LIMIT, async { greet(socket).await.map(|_| ()) }).await
}

/// Asks the agent to power off.
pub(super) async fn power_off(socket: &Path) -> io::Result<()> {
    let mut stream = within(LIMIT, greet(socket)).await?;
    let ask = json!({"execute": "guest-shutdown", "arguments": {"mode": "powerdown"}});
    stream.write_all(format!("{ask}\n").as_bytes()).await?;
    match tokio::time::timeout(REFUSAL, line(&mut stream)).await {
        Ok(Ok(answer)) if answer.get("error").is_some() => {
            let why = answer["error"]["desc"].as_str().unwrap_or("it does not say why");
            Err(io::Error::other(format!("the guest agent refuses: {why}")))
        }
        // It is on its way: nothing, an end of the talk, or an empty answer.
        Ok(_) | Err(_) => Ok(()),
    }
}

async fn within<T>(limit: Duration, talk: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = |_| Err(io::Error::new(io::ErrorKind::TimedOut, "the guest agent does not answer"));
    tokio::time::timeout(limit, talk).await.unwrap_or_else(late)
}

/// A talk of which all that is old has been passed over.
async fn greet(socket: &Path) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(socket).await?;
    let id = u64::from(std::process::id());
    let sync = json!({"execute": "guest-sync-delimited", "arguments": {"id": id}});
    stream.write_all(&[&[DELIMITER], sync.to_string().as_bytes(), b"\n"].concat()).await?;
    let mut read = 0;
    while stream.read_u8().await? != DELIMITER {
        read += 1;
        if read > MAX_ANSWER {
            return Err(io::Error::other("the guest says too much"));
        }
    }
    let answer = line(&mut stream).await?;
    if answer["return"].as_u64() == Some(id) {
        return Ok(stream);
    }
    Err(io::Error::other("what answers is no guest agent"))
}

async fn line(stream: &mut UnixStream) -> io::Result<Value> {
    let mut bytes = Vec::new();
    loop {
        match stream.read_u8().await? {
            b'\n' => return Ok(serde_json::from_slice(&bytes)?),
            DELIMITER => bytes.clear(),
            byte => bytes.push(byte),
        }
        if bytes.len() > MAX_ANSWER {
            return Err(io::Error::other("the guest says too much"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixListener;
    use weft_ports::task;

    /// An agent that says this for each command, with `ID` as it was sent; answers what it heard.
    fn agent(listener: UnixListener, says: Vec<&'static str>) -> task::Task<Vec<String>> {
        task::spawn("agent", async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = Vec::new();
            for words in says {
                let Ok(command) = line(&mut stream).await else { break };
                heard.push(command["execute"].as_str().unwrap().to_owned());
                let id = command["arguments"]["id"].to_string();
                let mut bytes = Vec::new();
                for part in words.split_inclusive('|') {
                    bytes.extend(part.trim_end_matches('|').replace("ID", &id).bytes());
                    if part.ends_with('|') {
                        bytes.push(DELIMITER);
                    }
                }
                stream.write_all(&bytes).await.unwrap();
            }
            heard
        })
    }

    #[tokio::test]
    async fn what_is_old_is_passed_over_and_a_shutdown_needs_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent");
        let listener = UnixListener::bind(&path).unwrap();
        let agent = agent(listener, vec!["{\"return\": 7}\nold|{\"return\": ID}\n", ""]);
        power_off(&path).await.unwrap();
        assert_eq!(agent.await.unwrap(), ["guest-sync-delimited", "guest-shutdown"]);
    }

    #[tokio::test]
    async fn a_refusal_and_a_liar_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n";
        let table =
            [(vec!["|{\"return\": ID}\n", refusal], "refuses: no"), (vec!["|{\"return\": 1}\n"], "no guest agent")];
        for (i, (says, why)) in table.into_iter().enumerate() {
            let path = folder.path().join(i.to_string());
            let listener = UnixListener::bind(&path).unwrap();
            let _agent = agent(listener, says);
            assert!(power_off(&path).await.unwrap_err().to_string().contains(why), "{why}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent");
        let _listener = UnixListener::bind(&path).unwrap();
        assert_eq!(ping(&path).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
