//! A server on loopback that answers by script: politely, never, or by half.
//!
//! Raw sockets, because a well-behaved HTTP library refuses to break off an answer.
//!
//! Invariant: binds 127.0.0.1 only; ends with its owner.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The longest request that is read.
const MAX_REQUEST_BYTES: usize = 512 * 1024;

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer with a body of this content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "application/json; charset=utf-8", body)
    }

    pub fn html(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same answer without a header.
    #[must_use]
    pub(super) fn without(&self, name: &str) -> Self {
        let kept = self.headers.iter().filter(|(known, _)| !known.eq_ignore_ascii_case(name));
        Self { headers: kept.cloned().collect(), ..self.clone() }
    }

    /// The same answer with another body.
    #[must_use]
    pub(super) fn with_body(&self, body: Vec<u8>) -> Self {
        Self { body, ..self.clone() }
    }

    fn head(&self) -> String {
        let lines = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let (status, length) = (self.status, self.body.len());
        let lines: String = lines.collect();
        format!("HTTP/1.1 {status} Scripted\r\n{lines}content-length: {length}\r\nconnection: close\r\n\r\n")
    }
}

/// The answer at every path that begins like this.
#[derive(Clone, Debug)]
pub struct Route {
    pub path: &'static str,
    pub reply: Reply,
}

impl Route {
    /// Among several routes the first that fits answers; where none does, a bare 404.
    pub fn new(path: &'static str, reply: Reply) -> Self {
        Self { path, reply }
    }
}

/// What the server does with every request.
#[derive(Clone, Debug)]
pub(super) enum Script {
    Routes(Vec<Route>),
    /// The same answer to everything.
    Always(Reply),
    /// The answer's head and half of its body, then the end.
    Half(Reply),
    /// The answer's head and a byte of its body, and then the next byte too late.
    Drip(Reply),
    /// Takes the request and says nothing.
    Silence,
    /// Closes the connection at once.
    HangUp,
}

/// The server; dropping it ends it.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    script: Script,
    requests: Vec<String>,
}

impl Server {
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State { script: Script::HangUp, requests: Vec::new() }));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self { address, state, accepting })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it does from now on.
    pub(super) fn follow(&self, script: Script) {
        lock(&self.state).script = script;
    }

    /// The requests so far, line, headers and body as sent; then forgets them.
    pub(super) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.state).requests)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut open = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let state = Arc::clone(&state);
                open.spawn(async move { serve(stream, &state).await });
            }
            Some(_) = open.join_next() => {}
        }
    }
}

/// One request, one answer. That the client hangs up first is part of the play.
async fn serve(mut stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let request = receive(&mut stream).await?;
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let script = {
        let mut state = lock(state);
        state.requests.push(request);
        state.script.clone()
    };
    let (reply, length) = match script {
        Script::Routes(routes) => {
            let route = routes.into_iter().find(|route| path.starts_with(route.path));
            let reply = route.map_or_else(|| Reply::new(404, "text/plain", ""), |route| route.reply);
            let length = reply.body.len();
            (reply, length)
        }
        Script::Always(reply) => {
            let length = reply.body.len();
            (reply, length)
        }
        Script::Half(reply) => {
            let length = reply.body.len() / 2;
            (reply, length)
        }
        Script::Drip(reply) => {
            stream.write_all(reply.head().as_bytes()).await?;
            stream.write_all(reply.body.get(..1).unwrap_or_default()).await?;
            return std::future::pending().await;
        }
        Script::Silence => return std::future::pending().await,
        Script::HangUp => return Ok(()),
    };
    stream.write_all(reply.head().as_bytes()).await?;
    stream.write_all(reply.body.get(..length).unwrap_or_default()).await?;
    stream.shutdown().await
}

/// Reads a request to the end of its body.
async fn receive(stream: &mut TcpStream) -> io::Result<String> {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Ok(text.into_owned());
            }
        }
        if request.len() > MAX_REQUEST_BYTES || stream.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
