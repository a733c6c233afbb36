//! A hostile server on loopback: each connection plays the next script.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use url::Url;

/// What a server does with one connection, once it has read the request.
#[derive(Clone, Debug)]
pub(super) enum Script {
    /// Writes these bytes and closes.
    Say(Vec<u8>),
    /// Writes the first bytes, then the others again and again until the client hangs up.
    Endless(Vec<u8>, Vec<u8>),
    /// Writes the first bytes, then one byte each so many milliseconds until the client hangs up.
    Drip(Vec<u8>, u64),
    /// Writes these bytes before it was asked anything.
    Greet(Vec<u8>),
    /// Writes these bytes for each request, and keeps the connection.
    Keep(Vec<u8>),
    /// Writes these bytes and then says nothing more.
    Stall(Vec<u8>),
    /// Waits until as many connections as the barrier counts are here at once, then writes the bytes.
    Meet(Arc<Barrier>, Vec<u8>),
}

/// A server that counts who came and remembers what was said.
#[derive(Clone, Debug)]
pub(super) struct Server {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Plays the scripts in order, the last one for ever.
    pub(super) async fn start(scripts: Vec<Script>) -> Self {
        Self::start_with(move |_| scripts.clone()).await
    }

    /// The same, for scripts that have to name the server's own address.
    pub(super) async fn start_with(scripts: impl FnOnce(SocketAddr) -> Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let scripts = scripts(address);
        let server = Self { address, heard: Arc::default(), connections: Arc::default() };
        let this = server.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let number = this.connections.fetch_add(1, Ordering::SeqCst);
                let script = scripts.get(number).or(scripts.last()).cloned();
                let heard = Arc::clone(&this.heard);
                tokio::spawn(async move {
                    if let Some(script) = script {
                        // The client hanging up is part of the play.
                        let _ = play(stream, script, &heard).await;
                    }
                });
            }
        });
        server
    }

    /// An answer with this status and reason, header lines and body.
    pub(super) fn answer(status: &str, headers: &[&str], body: &str) -> Script {
        let mut head =
            format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        Script::Say(format!("{head}\r\n{body}").into_bytes())
    }

    pub(super) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    /// A name on the web that the tests' resolver leads here.
    pub(super) fn named(&self, path: &str) -> Url {
        Url::parse(&format!("http://p{}.inside.example.com{path}", self.address.port())).unwrap()
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were made.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The heads of the requests, in order.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn play(mut stream: TcpStream, script: Script, heard: &Mutex<Vec<String>>) -> io::Result<()> {
    if let Script::Greet(bytes) = script {
        return stream.write_all(&bytes).await;
    }
    hear(&mut stream, heard).await?;
    match script {
        Script::Greet(_) => {}
        Script::Say(bytes) => stream.write_all(&bytes).await?,
        Script::Endless(first, again) => {
            stream.write_all(&first).await?;
            loop {
                stream.write_all(&again).await?;
            }
        }
        Script::Drip(first, pause) => {
            stream.write_all(&first).await?;
            loop {
                stream.write_all(b"x").await?;
                tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
            }
        }
        Script::Meet(barrier, bytes) => {
            barrier.wait().await;
            stream.write_all(&bytes).await?;
        }
        Script::Keep(bytes) => loop {
            stream.write_all(&bytes).await?;
            hear(&mut stream, heard).await?;
        },
        Script::Stall(bytes) => {
            stream.write_all(&bytes).await?;
            std::future::pending::<()>().await;
        }
    }
    stream.shutdown().await
}

/// Reads the head of one request.
async fn hear(stream: &mut TcpStream, heard: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut piece = [0; 1024];
        let length = stream.read(&mut piece).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        request.extend_from_slice(&piece[..length]);
    }
    heard.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
    Ok(())
}
