//! `gleaner advise`: what the present order costs per filled field, what others would, and how sure that is.

use gleaner::config::{Config, Enrich};
use gleaner::enrich::market::{ranked, worth};
use gleaner::enrich::waterfall::advice::{Advice, Bill, Groups, Slice, advise};
use gleaner::enrich::{Market, Panel};
use gleaner::job::LessonTotals;
use gleaner::record::Fields;
use gleaner_providers::Field;
use gleaner_providers::email::Segment;
use serde_json::{Value, json};

use super::host::Host;
use super::view::{self, money};
use super::{Exit, Global, out};

/// What is assumed of members while nothing is known of them.
const USUAL: [(Segment, f64); 2] = [(Segment::FreeMail, 0.6), (Segment::Company, 0.4)];

pub(crate) async fn run(global: &Global) -> anyhow::Result<Exit> {
    let host = Host::open(global)?;
    let panel = host.panel(None)?;
    let lessons = match host.vault_if_made().await? {
        Some(vault) => {
            let lessons = vault.store.lessons().await;
            vault.store.close().await;
            lessons?
        }
        None => Vec::new(),
    };
    let market = Market::new(&host.config.enrich, &panel);
    market.learn(&lessons);
    let slices = slices(&panel, &lessons, &host.config.enrich);
    let present = groups(&panel);
    let advice = (present.iter().map(Vec::len).sum::<usize>() > 1).then(|| advise(&slices, &present));
    if global.json {
        out::json(&as_json(&host.config, &slices, &lessons, advice.as_ref()))?;
    } else {
        print(&host.config, &panel, &slices, &lessons, advice.as_ref());
    }
    Ok(Exit::Done)
}

/// The kinds of address, each with its part of the members: as often as its addresses were answered about by the provider that
/// was asked most.
fn slices(panel: &Panel, lessons: &[LessonTotals], enrich: &Enrich) -> Vec<Slice> {
    let answers = |segment: Segment| {
        let of = |name: &str| -> u64 {
            let about = lessons.iter().filter(|one| one.segment == segment && one.provider == name);
            about.map(|one| one.answers).sum()
        };
        panel.installed().map(|one| of(one.name())).max().unwrap_or(0)
    };
    let mut shares: Vec<_> = Segment::ALL.map(|segment| (segment, float(answers(segment)))).into();
    if shares.iter().all(|(_, share)| *share == 0.0) {
        shares = USUAL.into();
    }
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    shares.retain(|(_, share)| *share > 0.0);
    let slice = |(segment, share): (Segment, f64)| {
        let (free, paid): (Vec<_>, Vec<_>) =
            panel.installed().partition(|one| one.descriptor().price.is_free());
        // One that is not asked about such addresses brings nothing and costs nothing there.
        let barred = |one: &gleaner::enrich::panel::Installed,
                      ranked: gleaner::enrich::waterfall::ranking::Ranked| {
            let supplies = if one.admits(segment) { ranked.supplies } else { Fields::NONE };
            gleaner::enrich::waterfall::ranking::Ranked { supplies, ..ranked }
        };
        Slice {
            segment,
            share: share / sum,
            wanted: Fields::of(&enrich.wanted),
            free: free
                .iter()
                .filter(|one| one.admits(segment))
                .map(|one| worth(one.descriptor(), segment, lessons))
                .collect(),
            paid: paid
                .iter()
                .map(|one| {
                    let about = one.descriptor();
                    barred(one, ranked(about, &worth(about, segment, lessons)))
                })
                .collect(),
        }
    };
    shares.into_iter().map(slice).collect()
}

/// The paid providers of each tier, by their position among the paid ones.
fn groups(panel: &Panel) -> Groups {
    let mut next = 0;
    let mut place = || {
        next += 1;
        next - 1
    };
    let tiers = panel.tiers().iter().map(|tier| {
        let paid = tier.iter().filter(|one| !one.descriptor().price.is_free());
        paid.map(|_| place()).collect::<Vec<_>>()
    });
    tiers.filter(|tier| !tier.is_empty()).collect()
}

/// The tiers to write: the free ones as they are, then one paid provider a tier.
fn tiers(panel: &Panel, slices: &[Slice], order: &[usize]) -> Vec<Vec<String>> {
    let free = panel.tiers().iter().map(|tier| {
        let free = tier.iter().filter(|one| one.descriptor().price.is_free());
        free.map(|one| one.name().to_owned()).collect::<Vec<_>>()
    });
    let paid = order.iter().filter_map(|&place| Some(vec![slices.first()?.paid.get(place)?.name.clone()]));
    free.filter(|tier| !tier.is_empty()).chain(paid).collect()
}

fn as_json(config: &Config, slices: &[Slice], lessons: &[LessonTotals], advice: Option<&Advice>) -> Value {
    let bill = |bill: &Bill| {
        json!({
            "micros_per_member": bill.micros.round(), "fields_per_member": two(bill.fields),
            "micros_per_field": bill.per_field().round(),
        })
    };
    let named = |order: &[usize]| -> Vec<&str> {
        let paid = slices.first().map_or(&[][..], |slice| slice.paid.as_slice());
        order.iter().filter_map(|&place| Some(paid.get(place)?.name.as_str())).collect()
    };
    json!({
        "order": config.enrich.order.as_str(),
        "answers": lessons.iter().map(|one| one.answers).sum::<u64>(),
        "segments": slices.iter().map(|slice| json!({ "segment": slice.segment, "share": two(slice.share) })).collect::<Vec<_>>(),
        "advice": advice.map(|advice| json!({
            "present": bill(&advice.present), "best_fixed": bill(&advice.best), "auto": bill(&advice.own),
            "best_order": named(&advice.best_order), "best_is_cheaper": two(advice.best_is_cheaper),
            "auto_is_cheaper": two(advice.own_is_cheaper), "saves": [two(advice.saves.0), two(advice.saves.1)],
        })),
    })
}

fn print(
    config: &Config,
    panel: &Panel,
    slices: &[Slice],
    lessons: &[LessonTotals],
    advice: Option<&Advice>,
) {
    let answers: u64 = lessons.iter().map(|one| one.answers).sum();
    let shares: Vec<_> =
        slices.iter().map(|slice| format!("{} {}", percent(slice.share), slice.segment.as_str())).collect();
    if answers == 0 {
        out::line("  No answer was seen yet: all of this is from published rates, which are guesses.");
    }
    out::line(format_args!("  {answers} answers; members: {}\n", shares.join(", ")));
    print_providers(panel, lessons, config);
    let Some(advice) = advice else {
        out::line("\n  One provider at most costs money: there is no order to choose.");
        return;
    };
    let mut table = out::table(["Order", "", "cost a member", "a filled field"], &[2, 3]);
    let mut row = |name: &str, order: String, bill: &Bill| {
        table.add_row([name.to_owned(), order, amount(bill.micros), amount(bill.per_field())]);
    };
    let paid = slices.first().map_or(&[][..], |slice| slice.paid.as_slice());
    let named = |places: &[usize]| places.iter().map(|&place| paid[place].name.as_str()).collect::<Vec<_>>();
    let present: Vec<_> = groups(panel).iter().map(|group| named(group).join(" + ")).collect();
    row("as configured", present.join(", "), &advice.present);
    row("best fixed", named(&advice.best_order).join(", "), &advice.best);
    row("auto", "for each kind of address and what is missing".to_owned(), &advice.own);
    out::line(format_args!("\n{table}"));
    out::line(format_args!(
        "\n  The best fixed order is cheaper than the configured one in {} of what the answers so far allow, and saves {} to {};\n  \
         auto is cheaper in {}. All orders fill the same fields: {:.2} a member.",
        percent(advice.best_is_cheaper),
        percent(advice.saves.0),
        percent(advice.saves.1),
        percent(advice.own_is_cheaper),
        advice.present.fields
    ));
    let tiers: Vec<_> = tiers(panel, slices, &advice.best_order)
        .iter()
        .map(|tier| {
            format!("[{}]", tier.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", "))
        })
        .collect();
    out::line("\n  To paste:");
    out::line("  [enrich]");
    out::line(format_args!("  tiers = [{}]", tiers.join(", ")));
    out::line("  order = \"auto\"      # or \"fixed\", for the tiers as they stand");
}

fn print_providers(panel: &Panel, lessons: &[LessonTotals], config: &Config) {
    let header =
        ["Provider", "address", "answers", "match", "name", "age", "social", "agree", "ms", "a new field"];
    let mut table = out::table(header, &[2, 3, 4, 5, 6, 7, 8, 9]);
    for one in panel.installed() {
        for segment in Segment::ALL {
            let about = one.descriptor();
            let known = worth(about, segment, lessons);
            let all: Vec<_> =
                lessons.iter().filter(|one| one.provider == about.name && one.segment == segment).collect();
            if known.seen() == 0 {
                continue;
            }
            let sum = |of: fn(&LessonTotals) -> u64| all.iter().map(|one| of(one)).sum::<u64>();
            let (agreed, contradicted) = (sum(|one| one.agreed), sum(|one| one.contradicted));
            let fields = known.expected_fields(Fields::of(&config.enrich.wanted));
            let price = if about.price.is_free() {
                "free".to_owned()
            } else {
                amount(
                    known.expected_micros(about.price, Fields::of(&config.enrich.wanted)) / fields.max(1e-9),
                )
            };
            table.add_row([
                about.name.to_string(),
                segment.as_str().to_owned(),
                known.seen().to_string(),
                percent(known.match_rate()),
                percent(known.fill_rate(Field::Name)),
                percent(known.fill_rate(Field::Age)),
                percent(known.fill_rate(Field::Social)),
                view::percent(agreed, agreed + contradicted),
                sum(|one| u64::try_from(one.duration.as_millis()).unwrap_or(u64::MAX))
                    .checked_div(known.seen())
                    .unwrap_or(0)
                    .to_string(),
                price,
            ]);
        }
    }
    if !table.is_empty() {
        out::line(table);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an expected cost is small and not negative"
)]
fn amount(micros: f64) -> String {
    money(micros.round() as u64)
}

fn percent(part: f64) -> String {
    format!("{:.0} %", part * 100.0)
}

fn two(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "a count of answers")]
const fn float(count: u64) -> f64 {
    count as f64
}
