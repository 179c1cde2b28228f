//! The runbooks of `docs/runbooks/` as pages: what to do about an alert.

use axum::{Router, extract::Request, routing::get};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Parser, Tag, TagEnd, html::push_html};

use super::{answer, tag};

const TEMPLATE: &str = include_str!("runbook.html");
const HTML: &str = "text/html; charset=utf-8";

macro_rules! runbooks {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../docs/runbooks/", $name, ".md")))),*]
    };
}

/// Names and texts.
const RUNBOOKS: &[(&str, &str)] = runbooks![
    "analysis-behind",
    "bad-block",
    "clock-drift",
    "clock-lost",
    "clock-step",
    "delay-drift",
    "log-not-read",
    "monitor",
    "node-lagging",
    "node-silent",
    "node-tip-old",
    "node-unreachable",
    "notifier-failing",
    "partition",
    "race",
    "reorg",
    "selfish-mining",
    "slow-node",
    "spool-filling",
    "tip-old",
    "unknown-version-bit",
    "validity-disagreement",
    "version-comparison",
    "watch",
];

/// Each at `/runbooks/` and its name.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    RUNBOOKS.iter().fold(Router::new(), |router, (name, text)| {
        let page = TEMPLATE.replace("{name}", name).replace("{content}", &render(text));
        let tag = tag(&page);
        let route = get(async move |request: Request| answer(HTML, page.clone(), &tag, &request));
        router.route(&format!("/runbooks/{name}"), route)
    })
}

/// Markdown as HTML, in which markup of the text's own is text.
fn render(text: &str) -> String {
    let mut events: Vec<Event<'_>> = Parser::new(text).collect();
    name_headings(&mut events);
    let mut left_out = None;
    let events = events.into_iter().flat_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => vec![Event::Text(text)],
        Event::Start(Tag::Link { dest_url, link_type, title, id }) => {
            let served = address(&dest_url);
            left_out = served.is_none().then_some(dest_url);
            served
                .map(|dest_url| Event::Start(Tag::Link { dest_url, link_type, title, id }))
                .into_iter()
                .collect()
        }
        // What is not served is named.
        Event::End(TagEnd::Link) => match left_out.take() {
            Some(file) => {
                vec![Event::Text(" (".into()), Event::Code(file_name(&file)), Event::Text(")".into())]
            }
            None => vec![event],
        },
        event => vec![event],
    });
    let mut html = String::new();
    push_html(&mut html, events);
    html
}

/// Where a link leads on this server, `None` if that is not there.
fn address<'a>(target: &CowStr<'a>) -> Option<CowStr<'a>> {
    if target.starts_with('#') || target.starts_with("https://") || target.starts_with("http://") {
        return Some(target.clone());
    }
    let (file, part) = target.split_once('#').map_or((&**target, ""), |(file, part)| (file, part));
    let name = file.strip_suffix(".md").filter(|name| RUNBOOKS.iter().any(|(known, _)| known == name))?;
    Some(if part.is_empty() { name.to_owned() } else { format!("{name}#{part}") }.into())
}

/// The file of a link out of the runbooks, in the project's tree.
fn file_name<'a>(target: &str) -> CowStr<'a> {
    let file = target.split('#').next().unwrap_or_default();
    match file.strip_prefix("../../") {
        Some(file) => file.to_owned().into(),
        None => format!("docs/{}", file.trim_start_matches("../")).into(),
    }
}

/// Gives each heading below the first the name that links to it use: its words in lower case with hyphens.
fn name_headings(events: &mut [Event<'_>]) {
    for index in 0..events.len() {
        let words: String = events.get(index + 1..).unwrap_or_default().iter().map_while(word).collect();
        if let Some(Event::Start(Tag::Heading { id, level, .. })) = events.get_mut(index)
            && *level > HeadingLevel::H1
        {
            let words = words.to_lowercase();
            let name = words.chars().filter(|char| char.is_alphanumeric() || [' ', '-', '_'].contains(char));
            *id = Some(name.map(|char| if char == ' ' { '-' } else { char }).collect::<String>().into());
        }
    }
}

/// What an event of a heading says, `None` at its end.
fn word(event: &Event<'_>) -> Option<String> {
    match event {
        Event::End(TagEnd::Heading(_)) => None,
        Event::Text(text) | Event::Code(text) => Some(text.to_string()),
        _ => Some(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_runbook_is_served_and_every_link_in_one_leads_somewhere() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let files: BTreeSet<String> = fs::read_dir(docs.join("runbooks"))
            .unwrap()
            .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let served: BTreeSet<String> = RUNBOOKS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(served, files);
        for (name, text) in RUNBOOKS {
            for event in Parser::new(text) {
                let Event::Start(Tag::Link { dest_url, .. }) = event else { continue };
                let file = dest_url.split('#').next().unwrap();
                assert!(docs.join("runbooks").join(file).exists(), "{name}: {dest_url}");
                if let Some((page, part)) = address(&dest_url).as_deref().and_then(|to| to.split_once('#')) {
                    let page = if page.is_empty() { name } else { page };
                    let (_, text) = RUNBOOKS.iter().find(|(known, _)| *known == page).unwrap();
                    assert!(render(text).contains(&format!("<h2 id=\"{part}\">")), "{name}: {dest_url}");
                }
            }
        }
    }

    #[test]
    fn markup_and_links_of_a_text_do_nothing_but_show() {
        let html = render(
            "# a <b>\n\n## What to *do*, `now`\n\n<script>x</script> [y](javascript:z) [w](watch.md#a) [f](../x.md)\n",
        );
        assert_eq!(
            html,
            "<h1>a &lt;b&gt;</h1>\n<h2 id=\"what-to-do-now\">What to <em>do</em>, <code>now</code></h2>\n\
             &lt;script&gt;x&lt;/script&gt; [y](javascript:z) [w](watch.md#a) [f](../x.md)\n"
        );
        let html = render("[y](javascript:z) [w](watch.md#a) [f](../x.md#b)\n");
        assert_eq!(
            html,
            "<p>y (<code>docs/javascript:z</code>) <a href=\"watch#a\">w</a> f (<code>docs/x.md</code>)</p>\n"
        );
    }
}
