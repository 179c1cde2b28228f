//! The page: files without a build step, embedded in the binary, that use nothing but the public API.
//!
//! Nothing is fetched from elsewhere and nothing inline is run: the content security policy allows this server's own
//! files only, so that a text from a node cannot become code even if the page had a hole.

mod runbook;

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest, Sha256};

/// What the browser may load: this server's script, style and icon, and data from its API.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the page.
struct File {
    path: &'static str,
    content_type: &'static str,
    content: &'static str,
}

const FILES: &[File] = &[
    File { path: "/", content_type: "text/html; charset=utf-8", content: include_str!("index.html") },
    File { path: "/style.css", content_type: "text/css; charset=utf-8", content: include_str!("style.css") },
    File { path: "/app.js", content_type: "text/javascript; charset=utf-8", content: include_str!("app.js") },
    File {
        path: "/alert.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("alert.js"),
    },
    File {
        path: "/chain.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("chain.js"),
    },
    File {
        path: "/spread.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("spread.js"),
    },
    File {
        path: "/view.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("view.js"),
    },
    File {
        path: "/waterfall.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("waterfall.js"),
    },
    File {
        path: "/live.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("live.js"),
    },
    File {
        path: "/format.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("format.js"),
    },
    File {
        path: "/theme.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("theme.js"),
    },
    File { path: "/icon.svg", content_type: "image/svg+xml", content: include_str!("icon.svg") },
];

/// The files of the page, and the runbooks.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(runbook::router(), |router, file| {
        let tag = tag(file.content);
        let route =
            get(async move |request: Request| answer(file.content_type, file.content, &tag, &request));
        router.route(file.path, route)
    })
}

/// The browser asks each time, and gets the file only when it changed.
fn answer(
    content_type: &'static str,
    content: impl Into<Body>,
    tag: &HeaderValue,
    request: &Request,
) -> Response {
    const FIXED: [(HeaderName, &str); 4] = [
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known == tag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, content_type)], content.into()).into_response()
    };
    response.headers_mut().insert(header::ETAG, tag.clone());
    response.headers_mut().extend(FIXED.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

/// The entity tag of `content`: a hash of it.
fn tag(content: &str) -> HeaderValue {
    let tag = format!("\"{:x}\"", Sha256::digest(content));
    HeaderValue::try_from(tag).expect("hexadecimal digits are a header value")
}
