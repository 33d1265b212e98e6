//! To be seen: log lines on standard error, figures at `/metrics`.

use anyhow::{Context, Result};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Encoder, Registry, TextEncoder};
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use tracing_subscriber::EnvFilter;
use weft_cli::args::LogFormat;
use weft_ports::store::Store;

/// Begins to log.
///
/// # Errors
/// The filter cannot be read.
pub(crate) fn log(filter: &str, format: LogFormat) -> Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("log.filter is {filter:?}, which is no filter"))?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let begun = match format {
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
        LogFormat::Text => logs.try_init(),
    };
    begun.map_err(|why| anyhow::anyhow!("logging cannot begin: {why}"))
}

/// The store whose figures are shown, where one is open.
type Shown = Arc<Mutex<Option<Arc<dyn Store>>>>;

/// The figures of this process.
#[derive(Clone)]
pub(crate) struct Figures {
    registry: Registry,
    store: Shown,
    _provider: SdkMeterProvider,
}

impl Figures {
    /// Begins to count; every room's instruments go through the global meter from then on.
    ///
    /// # Errors
    /// The exporter cannot be made.
    pub(crate) fn begin() -> Result<Self> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        opentelemetry::global::set_meter_provider(provider.clone());
        let store = Shown::default();
        of_store(&store);
        Ok(Self { registry, store, _provider: provider })
    }

    /// Shows a store's figures, and no former one's.
    pub(crate) fn show(&self, store: &Arc<dyn Store>) {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(store));
    }

    /// Shows no store's figures any more.
    pub(crate) fn hide(&self) {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// All figures as Prometheus reads them.
    ///
    /// # Errors
    /// They cannot be written as text.
    pub(crate) fn text(&self) -> Result<String> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8(text)?)
    }
}

/// The figures of whichever store is shown.
fn of_store(shown: &Shown) {
    type Read = fn(&weft_ports::store::Figures) -> u64;
    let gauges: [(&'static str, &'static str, Read); 5] = [
        ("weft_store_revision", "The newest revision", |figures| figures.revision),
        ("weft_store_compacted_revision", "The oldest revision that a watch can begin from", |figures| {
            figures.compacted
        }),
        ("weft_store_commits", "Commits since the store was opened", |figures| figures.commits),
        ("weft_store_syncs", "Times that the disk was made to hold what was written", |figures| figures.syncs),
        ("weft_store_bytes", "Bytes on the disk", |figures| figures.bytes),
    ];
    let meter = opentelemetry::global::meter("weft.store");
    for (name, description, read) in gauges {
        let shown = Arc::clone(shown);
        let observe = move |observer: &dyn opentelemetry::metrics::AsyncInstrument<u64>| {
            let store = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(store) = store {
                observer.observe(read(&store.figures()), &[]);
            }
        };
        meter.u64_observable_gauge(name).with_description(description).with_callback(observe).build();
    }
}
