//! What is served beside the services: health, readiness, figures.

use super::ground::Ground;
use super::house::House;
use crate::observe::Figures;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use std::sync::Arc;
use weft_api::server::Serving;
use weft_ports::api::Nodes;
use weft_ports::store::Store;

/// The API's routes.
pub(crate) fn api(house: &House) -> Router {
    let ready = Readiness {
        store: Arc::clone(&house.store),
        nodes: Arc::new(house.control.clone()),
        ground: house.ground.clone(),
    };
    house.health.set(Serving::Yes);
    let door = house.door.clone();
    door.route("/healthz", get(async || "ok\n")).route("/readyz", get(async move || ready.answer().await))
}

/// The route of the figures.
pub(crate) fn metrics(figures: Figures) -> Router {
    let answer = async move || match figures.text() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the figures could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    };
    Router::new().route("/metrics", get(answer))
}

/// What must work before requests are worth sending; each part is named.
#[derive(Clone)]
struct Readiness {
    store: Arc<dyn Store>,
    nodes: Arc<dyn Nodes>,
    ground: Ground,
}

impl Readiness {
    async fn answer(&self) -> Response {
        let call = weft_ports::api::Call::by("readyz");
        let store = self.store.revision().await.map(|_| ());
        let nodes = self.nodes.list(&call, &weft_ports::api::ListQuery::default()).await;
        let node = nodes.and_then(|page| match page.items.is_empty() {
            false => Ok(()),
            true => Err(weft_domain::Fault::new(weft_domain::Reason::NodeAway, "no node has registered yet")),
        });
        let word = |part: &Result<(), weft_domain::Fault>| match part {
            Ok(()) => "ok".to_owned(),
            Err(fault) => fault.to_string(),
        };
        let ground = self.ground.check();
        let body = json!({ "store": word(&store), "node": word(&node), "folders": word(&ground) });
        let status = if store.is_ok() && node.is_ok() && ground.is_ok() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        (status, axum::Json(body)).into_response()
    }
}
