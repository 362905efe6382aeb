//! An erasure between two calls of an insert.

use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use stagecall_aws::Store;
use stagecall_core::announcement::{Announcement, Hire, HireKey};
use stagecall_core::ids::CandidateId;
use stagecall_core::ports::{
    Announcements as _, Erased, Inserted, Ledger as _, OperatorStore as _,
};
use stagecall_tests::sample::{at, detected, key};

use super::server::{config, store, table};

/// A connection to a table on which candidate 7 is completely erased before each row is put.
#[derive(Debug)]
struct Overtaken {
    way: SharedHttpConnector,
    table: String,
    /// Whether only the row gets through: its writer dies then.
    dies: bool,
}

impl HttpConnector for Overtaken {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let puts = target.ends_with(".PutItem");
        let (way, table, dies) = (self.way.clone(), self.table.clone(), self.dies);
        HttpConnectorFuture::new(async move {
            if puts {
                erase(&store(&table)).await;
            } else if dies {
                return Err(ConnectorError::io("dead".into()));
            }
            way.call(request).await
        })
    }
}

fn overtaken(table: &str, dies: bool) -> Store {
    let client = stagecall_aws::https_client().unwrap();
    let table_name = table.to_owned();
    let client = http_client_fn(move |settings: &HttpConnectorSettings, components| {
        SharedHttpConnector::new(Overtaken {
            way: client.http_connector(settings, components),
            table: table_name.clone(),
            dies,
        })
    });
    let config = config().http_client(client).build();
    Store::new(aws_sdk_dynamodb::Client::from_conf(config), table)
}

async fn erase(store: &Store) -> Erased {
    let candidate = CandidateId::from("7");
    let erased = store.erase(&"acme".into(), &candidate, at(1.0)).await;
    erased.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_that_overtakes_an_insert_leaves_nothing() {
    let table = table().await;
    let (slow, other) = (overtaken(&table, false), store(&table));
    let row = detected(key("acme", 1));
    assert_eq!(slow.insert(&row).await.unwrap(), Inserted::Erased);
    assert_eq!(other.load(&row.key).await.unwrap(), None);
    let hire = HireKey {
        tenant: "acme".into(),
        hire: Hire::Application("1".into()),
    };
    let hire = Announcement::detected(hire, "7".into(), "8".into(), at(0.0), at(0.0));
    let inserted = slow.insert_announcement(&hire).await.unwrap();
    assert_eq!(inserted, Inserted::Erased);
    let found = other.load_announcement(&hire.key).await.unwrap();
    assert_eq!(found, None);
}

/// The worker that inserted the row died before it could check whether the candidate was erased. The sender checks, and
/// so does a repeated erasure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_insert_left_behind_is_found_before_it_is_sent() {
    let table = table().await;
    let (dying, other) = (overtaken(&table, true), store(&table));
    let row = detected(key("acme", 1));
    dying.insert(&row).await.unwrap_err();
    assert!(
        other.load(&row.key).await.unwrap().is_some(),
        "the case is not made"
    );
    assert!(other.purge_if_erased(&row).await.unwrap());
    assert_eq!(other.load(&row.key).await.unwrap(), None);

    dying.insert(&row).await.unwrap_err();
    assert_eq!(erase(&other).await.invitations, [row]);
}
