//! Pages: what a browser transfers for each, how long it waits for it, and what the server pays.

mod site;

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use harness::Journey;
use harness::command::RUNTIME;
use harness::server::{Options, Server};

use crate::client::{Body, Client, Endpoint};
use crate::load::{Limits, drive};
use crate::statistics::{float, median, percentile};
use crate::tokens::Plan;
use crate::usage;
use crate::work::Work;

/// Readers at once: as many as the machine that is measured has processors, so that nobody waits for others.
const READERS: usize = 2;

/// Most bytes of a page with its style, script and pictures.
const MOST_BYTES: u64 = 60 << 10;

/// Longest wait of 99 of 100 readers, µs.
const LONGEST_US: u32 = 10_000;

/// What browsers send besides.
const BROWSER: &str = "Accept: text/html,application/xhtml+xml\r\nAccept-Language: en-US\r\nAccept-Encoding: gzip, deflate, br\r\n\
                       Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\n";

/// What one page took.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Figures {
    id: &'static str,
    /// Bytes of the page as they are transferred.
    page_bytes: u64,
    /// The same with all that the page names, as a browser that was never here loads it.
    bytes: u64,
    rate: f64,
    /// Until the last byte of the page; the first comes no later.
    p50_us: u32,
    p99_us: u32,
    /// Seconds of the server's CPU for 1,000 pages.
    cpu_per_1000: f64,
}

/// Everything measured.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Report {
    pages: Vec<Figures>,
    /// Resident memory of both services afterwards, bytes.
    memory: u64,
}

struct Page {
    id: &'static str,
    path: String,
    /// `Cookie: …` with its line break, or nothing.
    cookie: String,
}

/// Fills a server of its own and measures page after page.
pub(crate) fn run(journey: &Journey, plan: Plan) -> Result<Report> {
    let server = Server::own(journey, Options::default())?;
    let site = site::fill(&server, plan.scale)?;
    let reader = format!("Cookie: {}\r\n", site::sign_in(&server, &server.admin()?)?);
    let page = |id, path: &str, cookie: &str| Page {
        id,
        path: path.to_owned(),
        cookie: cookie.to_owned(),
    };
    let repository = format!("/r/{}", site.repository);
    let pages = [
        page("home", "/", ""),
        page("home, signed in", "/", &reader),
        page("search", "/search?q=bench", ""),
        page("repository", &repository, ""),
        page("repository, signed in", &repository, &reader),
        page("tag", &format!("{repository}/-/tags/{}", site.tag), ""),
        page("namespace", &format!("/n/{}", site.namespace), ""),
        page("organisation", &format!("/o/{}", site.organisation), &reader),
        page("account", "/account", &reader),
        page("admin", "/admin", &reader),
    ];
    let mut measured = Vec::new();
    for page in &pages {
        let figures = RUNTIME.block_on(measure(&server, page, plan))?;
        eprintln!(
            "{}: {} bytes ({} with all), {:.0}/s, p50 {} p99 {} µs, {:.2} s CPU per 1,000",
            figures.id,
            figures.page_bytes,
            figures.bytes,
            figures.rate,
            figures.p50_us,
            figures.p99_us,
            figures.cpu_per_1000
        );
        measured.push(figures);
    }
    Ok(Report {
        pages: measured,
        memory: usage::resident(&[server.pid()?])?,
    })
}

async fn measure(server: &Server, page: &Page, plan: Plan) -> Result<Figures> {
    let endpoint = Arc::new(Endpoint {
        port: server.port(),
        authorization: String::new(),
        tls: None,
        fresh: false,
    });
    let request = endpoint.prepare("GET", &page.path, &format!("{BROWSER}{}", page.cookie));
    let mut client = Client::new(Arc::clone(&endpoint));
    let answer = client.fetch(&request, Body::None).await?;
    ensure!(answer.status == 200, "{}: {}", page.path, answer.status);
    let bytes = answer.length + parts(&mut client, page).await?;
    let work = Arc::new(Work::Read(vec![request]));
    let limits = |seconds| Limits {
        connections: READERS,
        seconds,
        operations: u64::MAX,
    };
    drive(&endpoint, &work, limits(plan.seconds / 4.0)).await?;
    let pid = [server.pid()?];
    let (mut rates, mut costs, mut waits) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        let before = usage::cpu(&pid)?;
        let outcome = drive(&endpoint, &work, limits(plan.seconds)).await?;
        let cpu = usage::cpu(&pid)?.since(before).total();
        rates.push(float(outcome.operations) / outcome.seconds);
        costs.push(cpu * 1000.0 / float(outcome.operations.max(1)));
        waits.extend(outcome.latencies);
    }
    waits.sort_unstable();
    Ok(Figures {
        id: page.id,
        page_bytes: answer.length,
        bytes,
        rate: median(&rates),
        p50_us: percentile(&waits, 50),
        p99_us: percentile(&waits, 99),
        cpu_per_1000: median(&costs),
    })
}

/// Bytes of all that a page names of ours: style, script, pictures.
async fn parts(client: &mut Client, page: &Page) -> Result<u64> {
    let headers = format!("Accept: text/html\r\n{}", page.cookie);
    let plain = client.endpoint.prepare("GET", &page.path, &headers);
    let text = client.fetch(&plain, Body::None).await?.body;
    let text = String::from_utf8(text).context("a page that is no text")?;
    let mut named: Vec<&str> = ["href=\"/static/", "src=\"/static/"]
        .iter()
        .flat_map(|start| text.split(start).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    named.sort_unstable();
    named.dedup();
    let mut bytes = 0;
    for name in named {
        let request = client
            .endpoint
            .prepare("GET", &format!("/static/{name}"), BROWSER);
        let answer = client.send(&request, Body::None).await?;
        ensure!(answer.status == 200, "/static/{name}: {}", answer.status);
        bytes += answer.length;
    }
    Ok(bytes)
}

/// The table.
pub(crate) fn markdown(report: &Report) -> String {
    let mut text = format!(
        "{READERS} readers; {:.0} MiB resident after all pages\n\n\
         | page | KiB | with all | p50 ms | p99 ms | CPU s per 1,000 | |\n|---|---|---|---|---|---|---|\n",
        float(report.memory) / 1_048_576.0
    );
    for page in &report.pages {
        let (ms, kib) = (|us: u32| f64::from(us) / 1000.0, |bytes| float(bytes) / 1024.0);
        let met = match (page.bytes <= MOST_BYTES, page.p99_us <= LONGEST_US) {
            (true, true) => "met",
            (false, _) => "**too heavy**",
            (true, false) => "**too slow**",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {:.1} | {:.1} | {:.2} | {:.2} | {:.2} | {met} |",
            page.id,
            kib(page.page_bytes),
            kib(page.bytes),
            ms(page.p50_us),
            ms(page.p99_us),
            page.cpu_per_1000,
        );
    }
    text
}
