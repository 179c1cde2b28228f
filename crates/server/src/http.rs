//! The HTTP listener and the threads that serve it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::ServerError;

/// Handlers decode batches and wait; queries have threads of their own.
const THREADS: usize = 2;

/// How long connections may take to end when the server stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// A bound address, and once [`Http::serve`] is called, the task that serves it.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) address: SocketAddr,
    /// `None` once stopped.
    runtime: Option<Runtime>,
    /// `None` once it is served.
    listener: Option<TcpListener>,
    serving: Option<JoinHandle<()>>,
    farewell: watch::Sender<bool>,
}

impl Http {
    pub(crate) fn bind(listen: SocketAddr) -> Result<Self, ServerError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("bmon-http")
            .enable_io()
            .enable_time()
            .build()
            .map_err(ServerError::Threads)?;
        let refused = |source| ServerError::Listen { address: listen, source };
        let listener = runtime.block_on(TcpListener::bind(listen)).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (runtime, listener) = (Some(runtime), Some(listener));
        Ok(Self { address, runtime, listener, serving: None, farewell: watch::Sender::new(false) })
    }

    pub(crate) fn serve(&mut self, router: Router) {
        if let (Some(runtime), Some(listener)) = (&self.runtime, self.listener.take()) {
            self.serving = Some(runtime.spawn(serve(listener, router, self.farewell.subscribe())));
        }
    }

    /// Takes no more connections, gives those that are open a moment to end, and drops everything the handlers hold.
    pub(crate) fn stop(&mut self) {
        self.farewell.send_replace(true);
        if let Some(runtime) = self.runtime.take() {
            if let Some(serving) = self.serving.take() {
                // Whether it ended in time or not, it ends now.
                let _ = runtime.block_on(async { tokio::time::timeout(FAREWELL, serving).await });
            }
            runtime.shutdown_timeout(FAREWELL);
        }
    }
}

async fn serve(listener: TcpListener, router: Router, mut farewell: watch::Receiver<bool>) {
    let end = async move {
        // An error means that the sender is gone, which is an end too.
        let _ = farewell.wait_for(|end| *end).await;
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(end).await {
        tracing::error!(error = &error as &dyn std::error::Error, "cannot serve HTTP any more");
    }
}
