//! Plays rows on a stage, over each protocol, and gathers what differs.

use crate::http::Odd;
use crate::proto::Contract;
use crate::row::{Body, Row, Told};
use crate::stage::Stage;
use crate::wire::{Answer, Asked, Heard, Version, enveloped, send};
use bytes::Bytes;
use std::collections::BTreeMap;

/// One protocol with one codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    ConnectJson,
    ConnectProto,
    GrpcProto,
    GrpcJson,
    GrpcWeb,
}

/// What was played so far.
pub(crate) struct Play<'a> {
    stage: &'a Stage,
    contract: &'a Contract,
    counts: BTreeMap<Form, usize>,
    rows: usize,
    skipped: Vec<String>,
    wrong: Vec<String>,
}

impl<'a> Play<'a> {
    pub(crate) fn on(stage: &'a Stage, contract: &'a Contract) -> Self {
        Self { stage, contract, counts: BTreeMap::new(), rows: 0, skipped: Vec::new(), wrong: Vec::new() }
    }

    /// Plays rows, each over Connect and over gRPC.
    pub(crate) async fn rows(&mut self, rows: &[Row]) {
        for (name, method, body, told, fields) in rows {
            let path = if method.contains('/') { format!("/{method}") } else { format!("/weft.v1.VmService/{method}") };
            let bodies = match self.bodies(&path, *body) {
                Ok(bodies) => bodies,
                Err(word) => {
                    self.skipped.push(format!("{name}: no {word} here"));
                    continue;
                }
            };
            self.rows += 1;
            for (form, bytes) in bodies {
                let streams = self.contract.method(&path).is_some_and(|method| method.is_server_streaming());
                let asked = asked(form, &path, streams, bytes);
                self.one(name, (form, streams), &asked, (*told, fields)).await;
            }
        }
    }

    /// Plays oddities of HTTP over the protocol that they are of.
    pub(crate) async fn odds(&mut self, odds: &[Odd]) {
        for (name, asked, told, fields) in odds {
            self.rows += 1;
            let asked = asked();
            let web = asked.headers.iter().any(|(_, value)| value.starts_with("application/grpc-web"));
            let form = match asked.version {
                Version::Http1 if web => Form::GrpcWeb,
                Version::Http1 => Form::ConnectJson,
                Version::Http2 => Form::GrpcProto,
            };
            self.one(name, (form, false), &asked, (*told, fields)).await;
        }
    }

    /// The bodies of a row: one for Connect, one for gRPC.
    fn bodies(&self, path: &str, body: Body) -> Result<[(Form, Vec<u8>); 2], String> {
        let json = match body {
            Body::Text(bytes) => return Ok([(Form::ConnectJson, bytes()), (Form::GrpcJson, bytes())]),
            Body::Proto(bytes) => return Ok([(Form::ConnectProto, bytes()), (Form::GrpcProto, bytes())]),
            Body::Made(json) => json(),
            Body::Json(json) => self.stage.say(json)?,
            Body::Spec(spec) => format!(r#"{{"vm":{{"spec":{}}}}}"#, self.stage.say(spec)?),
        };
        let grpc = match self.contract.encode(path, &json) {
            Some(bytes) => (Form::GrpcProto, bytes),
            None => (Form::GrpcJson, json.clone().into_bytes()),
        };
        Ok([(Form::ConnectJson, json.into_bytes()), grpc])
    }

    async fn one(&mut self, name: &str, (form, streams): (Form, bool), asked: &Asked, told: (Told, &[&str])) {
        *self.counts.entry(form).or_default() += 1;
        let wrong = match send(self.stage.daemon.api(), asked).await {
            Err(error) => Some(format!("no answer: {error}")),
            Ok(answer) => self.judge((form, streams), &answer, told),
        };
        if let Some(wrong) = wrong {
            self.wrong.push(format!("{name} ({form:?}): {wrong}"));
        }
    }

    /// What is wrong with an answer.
    fn judge(&self, (form, streams): (Form, bool), answer: &Answer, (told, fields): (Told, &[&str])) -> Option<String> {
        let connect = matches!(form, Form::ConnectJson | Form::ConnectProto);
        let heard = match (connect, streams) {
            (true, false) => answer.unary(self.contract),
            (true, true) => answer.stream(self.contract),
            (false, _) if form == Form::GrpcWeb => answer.web(self.contract),
            (false, _) => answer.grpc(self.contract),
        };
        let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(300)]);
        let Some(Heard { code, message, reason, fix, link, fields: named }) = heard else {
            return Some(format!("{}: no refusal: {body:?}", answer.status));
        };
        let wanted = if connect { told.code.to_owned() } else { told.number.to_string() };
        let status = if connect && !streams { told.status } else { 200 };
        if (code.as_str(), reason.as_str(), answer.status.as_u16()) != (&wanted, told.reason, status) || named != fields
        {
            let status = answer.status;
            return Some(format!(
                "{status} {code} {reason} {named:?}, not {wanted} {} {fields:?}: {message}",
                told.reason
            ));
        }
        let anchor = format!("#{}", told.reason.to_ascii_lowercase());
        let silent = message.is_empty() || fix.is_empty() || !link.ends_with(&anchor);
        silent.then(|| format!("says too little: {message:?}, fix {fix:?}, link {link:?}"))
    }

    /// Says how many rows were played, and fails where any was answered otherwise.
    #[expect(clippy::print_stdout, reason = "the summary is for who runs the tests")]
    pub(crate) fn end(self, what: &str) {
        for skipped in &self.skipped {
            println!("skipped: {skipped}");
        }
        let counts: Vec<_> = self.counts.iter().map(|(form, count)| format!("{form:?} {count}")).collect();
        println!("bad requests {what}: {} rows; {}; {} skipped", self.rows, counts.join(", "), self.skipped.len());
        assert!(
            self.wrong.is_empty(),
            "{} answers are not as the tables say:\n{}",
            self.wrong.len(),
            self.wrong.join("\n")
        );
    }
}

fn asked(form: Form, path: &str, streams: bool, body: Vec<u8>) -> Asked {
    let content_type = match (form, streams) {
        (Form::ConnectJson, false) => "application/json",
        (Form::ConnectJson, true) => "application/connect+json",
        (Form::ConnectProto, false) => "application/proto",
        (Form::ConnectProto, true) => "application/connect+proto",
        (Form::GrpcProto, _) => "application/grpc",
        (Form::GrpcJson, _) => "application/grpc+json",
        (Form::GrpcWeb, _) => "application/grpc-web",
    };
    let grpc = matches!(form, Form::GrpcProto | Form::GrpcJson | Form::GrpcWeb);
    let mut headers = vec![("content-type", content_type.to_owned())];
    if grpc {
        headers.push(("te", "trailers".to_owned()));
    }
    // A call that streams both ways needs HTTP/2 over Connect too.
    let version = if grpc || streams { Version::Http2 } else { Version::Http1 };
    let body = if grpc || streams { enveloped(&body) } else { Bytes::from(body) };
    Asked { version, verb: "POST", path: path.to_owned(), headers, body }
}
