//! Requests that nobody sends by mistake.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::support::{OpenDoor, raw, read_to_end, registration};

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_are_answered_and_take_nothing_in() {
    let door = OpenDoor::new("").await;
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let canary = "canary.person@example.com";
    let many_fields = format!("{{{}\"email\":7}}", "\"\":0,".repeat(100_000));
    for (status, body) in [
        (400, b"".to_vec()),
        (400, b"\x00".to_vec()),
        (400, b"\xef\xbb\xbf{}".to_vec()),
        (400, b"{\"email\":\"\xff\xfe\"}".to_vec()),
        (400, "[".repeat(500_000).into_bytes()),
        (422, deep.clone().into_bytes()),
        (422, format!("{{\"email\":{deep}}}").into_bytes()),
        (400, b"{\"email\":1e400}".to_vec()),
        (400, format!("[{{\"email\":\"{canary}\"}},").into_bytes()),
        (400, format!("{{\"email\":\"{canary}\\u0000\\ud800\"}}").into_bytes()),
        (400, b"NaN".to_vec()),
        (422, format!("{{\"email\":\"{canary}\\u0000\"}}").into_bytes()),
        (422, format!("{{\"email\":\"{canary}\",\"email\":\"{canary}\"}}").into_bytes()),
        (422, format!("{{\"email\":\"{canary}\",\"member_id\":{}}}", "9".repeat(300)).into_bytes()),
        (422, format!("{{\"email\":\"{canary}\",\"member_id\":\"{}\"}}", "x".repeat(100_000)).into_bytes()),
        (422, format!("{{\"email\":\"{canary}\",\"{canary}\":null}}").into_bytes()),
        (422, format!("{{\"email\":\"{}@example.com\"}}", "canary".repeat(100_000)).into_bytes()),
        (422, format!("{{\"email\":[\"{canary}\"]}}").into_bytes()),
        (422, format!("\"{canary}\"").into_bytes()),
        (422, many_fields.into_bytes()),
        (422, b"[[],[],[]]".to_vec()),
        (413, format!("[{}0]", "0,".repeat(200_000)).into_bytes()),
        (413, vec![b'['; 2_000_000]),
    ] {
        for content_type in
            ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json"]
        {
            let began = Instant::now();
            let answer = door.post_text(&body).header("content-type", content_type).send().await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            if content_type == "application/json" {
                assert_eq!(answer.status, status, "{shown}: {}", answer.text);
            }
            assert!((400..500).contains(&answer.status), "{content_type} {shown}: {}", answer.text);
            assert!(!answer.text.contains("canary"), "{}", answer.text);
            assert!(began.elapsed() < Duration::from_secs(5), "{shown} took {:?}", began.elapsed());
        }
    }
    assert_eq!(door.census().await.taken_in, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_end_their_own_connection_only() {
    let door = OpenDoor::new("timeout_secs = 1").await;
    let head = format!(
        "host: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n",
        door.token
    );
    let post = "POST /v1/registrations HTTP/1.1\r\n";
    let padding = "x".repeat(20_000);
    let headers = "x-many: 1\r\n".repeat(100);
    for (expected, request) in [
        ("400", "\x16\x03\x01\x02\x00 this is no HTTP\r\n\r\n".to_owned()),
        ("400", format!("{post}{head}transfer-encoding: chunked\r\n\r\nnot a chunk\r\n")),
        ("400", format!("{post}{head}content-length: 5\r\ncontent-length: 6\r\n\r\n{{}}")),
        ("431", format!("{post}{head}x-long: {padding}\r\n\r\n")),
        ("431", format!("{post}{head}{headers}\r\n")),
        ("421", "GET /openapi.json HTTP/1.0\r\n\r\n".to_owned()),
        ("421", "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_owned()),
        ("421", "GET http://evil.example.com/openapi.json HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_owned()),
        ("413", format!("{post}{head}content-length: 99999999999\r\n\r\n{{")),
    ] {
        let answer = raw(door.address, request.as_bytes()).await;
        let first = request.lines().next().unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")) || answer.starts_with(&format!("HTTP/1.0 {expected} ")), "{first}: {answer:?}");
    }
    // A body that is cut off.
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    stream
        .write_all(format!("{post}{head}content-length: 100\r\n\r\n{{\"email\":").as_bytes())
        .await
        .unwrap();
    drop(stream);
    // Chunks without an end run into the cap.
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    stream.write_all(format!("{post}{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).await.unwrap();
    let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat();
    for _ in 0..40 {
        if stream.write_all(&chunk).await.is_err() {
            break;
        }
    }
    let answer = read_to_end(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(door.post(&registration(1)).send().await.status, 202, "the door is still open");
    assert_eq!(door.census().await.taken_in, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_holds_a_connection_for_ever() {
    let door = OpenDoor::new("timeout_secs = 1\nmax_connections = 4").await;
    // Silent, half a head, a head that drips, and one idle after its answer: together all the connections there may be.
    let mut silent = TcpStream::connect(door.address).await.unwrap();
    let mut half = TcpStream::connect(door.address).await.unwrap();
    half.write_all(b"GET /healthz HTTP/1.1\r\nhost: ").await.unwrap();
    let mut dripping = TcpStream::connect(door.address).await.unwrap();
    let mut idle = TcpStream::connect(door.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let drip = tokio::spawn(async move {
        for byte in b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n".iter().cycle() {
            if dripping.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        read_to_end(&mut dripping).await
    });
    let began = Instant::now();
    let answer = door.post(&registration(1)).send().await;
    assert_eq!(answer.status, 202, "whoever comes then waits for a place, and gets one");
    read_to_end(&mut silent).await;
    read_to_end(&mut half).await;
    let idle = read_to_end(&mut idle).await;
    assert!(idle.contains("alive"), "{idle}");
    drip.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
