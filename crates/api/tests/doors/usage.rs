//! Usage through both doors; a door that has none says so as of any method that it does not know.

use crate::house::{gap, lines};
use crate::raw::{Version, enveloped, serve, serve_with};
use futures::StreamExt as _;
use weft_api::Client;
use weft_api::server::Options;
use weft_domain::usage::Width;
use weft_domain::{InstanceId, Labels, Reason, Time};
use weft_ports::api::{Call, ExportFormat, Grain, Usage, UsageQuery, UsageScope, VmRef};

const USAGE: &str = "/weft.v1.UsageService";

fn query() -> UsageQuery {
    let named = VmRef::Named { project: "other".parse().unwrap(), name: "web".parse().unwrap() };
    let scope = UsageScope {
        project: Some("shop".parse().unwrap()),
        vms: vec![VmRef::Id(InstanceId::new(Time::from_millis(5), [5; 10])), named],
        labels: Labels::new([("tier".to_owned(), "front".to_owned())].into()).unwrap(),
        from: Some(Time::from_nanos(1_795_197_600_000_000_001)),
        to: Some(Time::from_millis(1_795_197_600_001)),
    };
    UsageQuery { scope, grain: Grain::Bucket(Width::Hour), page_size: 7, page_token: "token".to_owned() }
}

#[tokio::test]
async fn what_is_asked_and_what_was_used_go_there_and_back() {
    let served = serve(Options::default()).await;
    let (client, call) = (Client::connect(&served.url).unwrap(), Call::by("test"));
    let page = client.query(&call, &query()).await.unwrap();
    assert_eq!((page.items, page.next_page_token.as_str()), (lines(), "next"));
    assert_eq!(served.house.seen(|s| s.usage.clone()), Some((query(), None)));

    let page = client.gaps(&call, &query()).await.unwrap();
    assert_eq!((page.items, page.next_page_token.as_str()), (vec![gap()], ""));
    assert_eq!(served.house.seen(|s| s.usage.clone()).unwrap().0, UsageQuery { grain: Grain::Record, ..query() });

    let stale = UsageQuery { page_token: "stale".to_owned(), ..query() };
    assert_eq!(client.query(&call, &stale).await.unwrap_err().reason, Reason::PageTokenInvalid);
}

#[tokio::test]
async fn seconds_come_one_by_one_and_the_end_is_told() {
    let served = serve(Options::default()).await;
    let client = Client::connect(&served.url).unwrap();
    let seconds: Vec<_> = client.watch(&Call::by("test"), query().scope).await.unwrap().collect().await;
    assert_eq!(seconds[..2], [Ok(lines()), Ok(Vec::new())]);
    assert_eq!(seconds[2].clone().unwrap_err().reason, Reason::WatcherTooSlow);
    let timeless = UsageScope { from: None, to: None, ..query().scope };
    assert_eq!(served.house.seen(|s| s.usage.clone()).unwrap().0.scope, timeless);
}

#[tokio::test]
async fn an_export_comes_piece_by_piece() {
    let served = serve(Options::default()).await;
    let client = Client::connect(&served.url).unwrap();
    let chunks = client.export(&Call::by("test"), query(), ExportFormat::CloudEvents).await.unwrap();
    let chunks: Vec<_> = chunks.map(Result::unwrap).collect().await;
    let told: Vec<_> = chunks.iter().map(|c| (c.bytes.as_ref(), c.lines, c.done)).collect();
    assert_eq!(told, [(&b"one\n"[..], 1, 500), (b"two\n", 2, 1000)]);
    let (asked, form) = served.house.seen(|s| s.usage.clone()).unwrap();
    assert_eq!((asked.grain, form), (Grain::Bucket(Width::Hour), Some(ExportFormat::CloudEvents)));
}

#[tokio::test]
async fn amounts_are_whole_in_json() {
    let served = serve(Options::default()).await;
    let answer = served.json(&format!("{USAGE}/QueryUsage"), r#"{"scope":{"project":"shop"}}"#).await;
    let line = &answer.json()["lines"][1];
    assert_eq!(line["amounts"]["cpuNanos"], "1152921504606846976");
    assert_eq!(line["amounts"]["networkSentPackets"], "18446744073709551615");
    let answer = served.json(&format!("{USAGE}/ListUsageGaps"), "{}").await;
    let record = &answer.json()["gaps"][0]["record"];
    assert_eq!(record["cause"], "USAGE_CAUSE_UNWATCHED");
    assert_eq!(record["sources"]["cpuNanos"], "USAGE_SOURCE_CGROUP_V2");

    for (body, field) in [
        (r#"{"scope":{"vms":["NO"]}}"#, "scope.vms[0]"),
        (r#"{"grain":"USAGE_GRAIN_WEEK"}"#, "grain"),
        (r#"{"scope":{"start_time":"2026-01-02T00:00:00Z","end_time":"2026-01-01T00:00:00Z"}}"#, "scope.end_time"),
        (r#"{"price":"5"}"#, "price"),
    ] {
        let answer = served.json(&format!("{USAGE}/QueryUsage"), body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json()["message"].as_str().unwrap().starts_with(field), "{body}: {}", answer.json());
    }
}

#[tokio::test]
async fn a_door_without_usage_offers_none() {
    let served = serve_with(Options::default(), |ports| ports.usage = None).await;
    let client = Client::connect(&served.url).unwrap();
    let refused = client.query(&Call::by("test"), &query()).await.unwrap_err();
    assert_eq!(refused.reason, Reason::MethodUnknown);
    let mut seconds = client.watch(&Call::by("test"), UsageScope::default()).await.unwrap();
    assert_eq!(seconds.next().await.unwrap().unwrap_err().reason, Reason::MethodUnknown);
    let answer = served.json(&format!("{USAGE}/QueryUsage"), "{}").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (404, &"unimplemented".into()));

    let json = [("content-type", "application/connect+json")];
    let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let listed = served.send(Version::Http2, reflection, &json, enveloped(br#"{"listServices":""}"#)).await;
    let text = String::from_utf8_lossy(&listed.body).into_owned();
    assert!(text.contains("weft.v1.VmService") && !text.contains("UsageService"), "{text}");
    let health = r#"{"service":"weft.v1.UsageService"}"#;
    assert_eq!(served.json("/grpc.health.v1.Health/Check", health).await.json()["code"], "not_found");
}
