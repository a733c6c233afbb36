//! What a replay or a renormalize has changed, field by field.

use gleaner::record::ChangeKind;
use gleaner::store::batches::{Batch, ChangePage};
use gleaner_providers::Field;

use super::super::host::Vault;
use super::{Exit, Global, out};

/// Members read at a time.
const PAGE: u32 = 1_000;

pub(super) async fn show(
    global: &Global,
    vault: &Vault,
    batch: &Batch,
    members: bool,
) -> anyhow::Result<Exit> {
    let counts = vault.store.batch_counts(batch.id).await?;
    if members {
        let mut after = String::new();
        loop {
            let page = ChangePage { after: &after, limit: PAGE };
            let changes = vault.store.changes(batch.id, page).await?;
            let Some(last) = changes.last().map(|change| change.member_id.clone()) else { break };
            let is_whole = changes.len() < PAGE as usize;
            // The last member of a full page may go on in the next one.
            let shown = changes.iter().filter(|change| is_whole || change.member_id != last);
            for change in shown {
                if global.json {
                    out::json(change)?;
                } else {
                    out::line(format_args!("{}  {}  {}", change.member_id, change.field, change.change));
                }
            }
            if is_whole {
                break;
            }
            let before_last = changes.iter().rev().find(|change| change.member_id != last);
            after = before_last.map_or(last, |change| change.member_id.clone());
        }
        return Ok(Exit::Done);
    }
    let count =
        |field: Field, kind: ChangeKind| counts.of(&format!("changed.{}.{}", field.as_str(), kind.as_str()));
    if global.json {
        let fields: serde_json::Map<_, _> = Field::ALL
            .into_iter()
            .map(|field| {
                let kinds: serde_json::Map<_, _> = ChangeKind::ALL
                    .into_iter()
                    .map(|kind| (kind.as_str().to_owned(), count(field, kind).into()))
                    .collect();
                (field.as_str().to_owned(), kinds.into())
            })
            .collect();
        out::json(&serde_json::json!({ "batch": batch.name, "fields": fields }))?;
        return Ok(Exit::Done);
    }
    let mut table = out::table(["Field", "filled", "lost", "changed", "confidence only"], &[1, 2, 3, 4]);
    for field in Field::ALL {
        let mut row = vec![field.as_str().to_owned()];
        row.extend(ChangeKind::ALL.into_iter().map(|kind| count(field, kind).to_string()));
        table.add_row(row);
    }
    out::line(table);
    out::line(format_args!(
        "  who: gleaner batch diff {} --members; one of them: gleaner member show ID",
        batch.name
    ));
    Ok(Exit::Done)
}
