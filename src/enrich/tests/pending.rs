//! Providers that take an order, and hand the answer over later.

use super::*;

/// Takes orders; an answer is collected with the ticket of its order, after as many calls as it takes.
struct Slow {
    descriptor: Descriptor,
    orders: Arc<Mutex<u32>>,
    collected: Mutex<Vec<String>>,
    calls_until_ready: usize,
}

#[async_trait]
impl Provider for Slow {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn lookup(&self, _: &Subject, _: &HttpClient) -> Result<Lookup, LookupError> {
        let mut orders = self.orders.lock().unwrap();
        *orders += 1;
        Ok(Lookup::Pending { handle: format!("ticket-{orders}"), after: Duration::from_mins(2) })
    }

    async fn collect(&self, handle: &str, _: &Subject, _: &HttpClient) -> Result<Lookup, LookupError> {
        let mut collected = self.collected.lock().unwrap();
        collected.push(handle.to_owned());
        if collected.len() < self.calls_until_ready {
            return Ok(Lookup::Pending { handle: handle.to_owned(), after: Duration::from_mins(1) });
        }
        Ok(Lookup::Match(everything()))
    }
}

fn slow(price: Price, calls_until_ready: usize) -> (Enricher, Arc<Slow>) {
    let provider = Arc::new(Slow {
        descriptor: descriptor("slow", price),
        orders: Arc::default(),
        collected: Mutex::default(),
        calls_until_ready,
    });
    let network = Network::new(None, ManualClock::at(NOW)).unwrap();
    let http = network.client("slow", Limits::for_quota(Quota::per_second(1000)));
    let seat = Arc::new(Installed::new(Arc::clone(&provider) as Arc<dyn Provider>, http));
    let policy = Policy::from_config(&Config::default());
    (Enricher::new(Panel::of_tiers(vec![vec![seat]]), policy, ManualClock::at(NOW)), provider)
}

/// The answers as if the wait were over.
fn ready(mut answers: Vec<Answer>) -> Vec<Answer> {
    for answer in &mut answers {
        if let AnswerContent::Pending { ready_at, .. } = &mut answer.content {
            *ready_at = NOW;
        }
    }
    answers
}

#[tokio::test]
async fn an_order_is_placed_once_and_its_answer_collected_by_its_ticket() {
    let (enricher, provider) = slow(Price::FREE, 2);
    let ordered = enrich(&enricher, &job(1), vec![]).await;
    let due = NOW + SignedDuration::from_mins(2);
    assert!(matches!(ordered.verdict, Verdict::Snooze { at, .. } if at == due));

    enrich(&enricher, &job(2), ordered.answers.clone()).await;
    assert!(provider.collected.lock().unwrap().is_empty(), "it is not ready yet");

    let waiting = enrich(&enricher, &job(3), ready(ordered.answers)).await;
    let due = NOW + SignedDuration::from_mins(1);
    assert!(matches!(waiting.verdict, Verdict::Snooze { at, .. } if at == due), "it takes longer");

    let collected = enrich(&enricher, &job(4), ready(waiting.answers)).await;
    assert!(
        matches!(&collected.verdict, Verdict::Written(record) if record.status == RecordStatus::Complete)
    );
    assert_eq!(*provider.orders.lock().unwrap(), 1);
    assert_eq!(*provider.collected.lock().unwrap(), ["ticket-1", "ticket-1"]);
}

/// The ticket of an order that will be billed is on disk before anything else happens: without it, a crash would
/// order, and pay, once more. The bill comes with the answer, once.
#[tokio::test]
async fn the_ticket_of_an_order_that_costs_money_is_kept_at_once() {
    let (enricher, _) = slow(paid(), 1);
    let shelf = Shelf::new(Kept::Yes);
    let ordered = enricher.enrich(&job(1), vec![], &shelf).await;
    assert!(ordered.answers.is_empty(), "kept already");
    let tickets = shelf.answers.lock().unwrap().clone();
    assert!(matches!(&tickets[..], [Answer { content: AnswerContent::Pending { .. }, cost_micros: 0, .. }]));

    let shelf = Shelf::new(Kept::Yes);
    enricher.enrich(&job(2), ready(tickets), &shelf).await;
    let paid: Vec<_> = shelf.answers.lock().unwrap().iter().map(|answer| answer.cost_micros).collect();
    assert_eq!(paid, [280_000]);
}

/// Most vendors that make one wait are asked the same question again.
#[tokio::test]
async fn who_says_nothing_else_is_asked_the_same_again() {
    let wait = || Ok(Lookup::Pending { handle: "h".to_owned(), after: Duration::from_mins(2) });
    let (enricher, asked) = Stage::default().tier().free("slow", wait).open();
    let outcome = enrich(&enricher, &job(1), vec![]).await;
    enrich(&enricher, &job(2), ready(outcome.answers)).await;
    assert_eq!(times(&asked), [("slow", 2)]);
}
