use super::*;

const SECOND: Duration = Duration::from_secs(1);
const PATIENT: Duration = Duration::from_mins(1);

fn manners(daily: u32) -> Manners {
    Manners::new(SiteLimits { interval: SECOND, daily: NonZeroU32::new(daily).unwrap() })
}

fn url(host: &str) -> Url {
    Url::parse(&format!("https://{host}/")).unwrap()
}

/// A call that leaves at once and is over.
async fn call(manners: &Manners, host: &str, patience: Duration) -> Result<(), Halt> {
    manners.visit(&url(host), None, patience).await.map(|mut visit| visit.leave())
}

#[tokio::test(start_paused = true)]
async fn calls_to_one_site_leave_a_second_apart_and_others_at_once() {
    let manners = manners(10);
    let begun = Instant::now();
    for host in ["example.co.uk", "www.example.co.uk", "EXAMPLE.co.uk.", "a.b.example.co.uk"] {
        call(&manners, host, PATIENT).await.unwrap();
    }
    assert!(begun.elapsed() >= 3 * SECOND && begun.elapsed() < 4 * SECOND);
    let begun = Instant::now();
    for host in ["other.co.uk", "ada.github.io", "bob.github.io", "[2001:db8::1]", "192.0.2.1"] {
        call(&manners, host, Duration::ZERO).await.unwrap();
    }
    assert!(begun.elapsed() < SECOND);
}

#[tokio::test(start_paused = true)]
async fn one_call_is_there_at_a_time() {
    let manners = manners(10);
    let visit = manners.visit(&url("example.org"), None, PATIENT).await.unwrap();
    let second = call(&manners, "www.example.org", PATIENT).await;
    assert!(matches!(second, Err(Halt::Held(_))), "{second:?}");
    drop(visit);
    call(&manners, "www.example.org", Duration::ZERO).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_too_long_is_told_at_once() {
    let manners = manners(10);
    let site = url("example.org");
    let page = |patience| manners.visit(&site, Some(30 * SECOND), patience);
    page(PATIENT).await.unwrap().leave();
    let begun = Instant::now();
    let Err(Halt::Held(held)) = page(10 * SECOND).await else { panic!("the site wants half a minute") };
    assert_eq!((held.after, begun.elapsed()), (30 * SECOND, Duration::ZERO));
    // What is no page waits for its turn only.
    call(&manners, "example.org", SECOND).await.unwrap();
    page(30 * SECOND).await.unwrap();
    assert!(begun.elapsed() >= 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_days_budget_is_for_the_whole_site() {
    let manners = manners(3);
    for number in 0..3 {
        call(&manners, &format!("sub-{number}.example.org"), PATIENT).await.unwrap();
    }
    for number in 0..1_000 {
        let outcome = call(&manners, &format!("sub-{number}.example.org"), PATIENT).await;
        assert!(matches!(outcome, Err(Halt::Spent)), "{outcome:?}");
    }
    tokio::time::advance(Duration::from_hours(24)).await;
    call(&manners, "example.org", PATIENT).await.unwrap();
}
