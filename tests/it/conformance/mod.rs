//! Conformance of the stores' adapters: the same cases with the same answers for each.
//!
//! An adapter joins by implementing [`Backend`] and one line of [`suite!`]. Each case gets an empty backend of its own.

mod allowance;
mod announcements;
mod definitions;
mod deliveries;
mod due;
mod dynamodb;
mod ledger;
mod lost_answers;
mod memory;
mod operations;
mod records;
mod restart;
mod sqlite;
mod sweeps;
mod tenants;
mod tokens;

use std::sync::Arc;

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{
    Allowance, Announcements, Definitions, Deliveries, Due, DueItem, Ledger, OperatorStore, Sweeps,
    TenantState, TenantStates, Tenants, TokenCache,
};
use stagecall_core::tenant::Tenant;
use stagecall_core::work::Kind;
use stagecall_tests::sample::{at, tenant};

/// The ports of one store.
#[derive(Clone)]
pub struct Stores {
    pub ledger: Arc<dyn Ledger>,
    pub sweeps: Arc<dyn Sweeps>,
    pub deliveries: Arc<dyn Deliveries>,
    pub due: Arc<dyn Due>,
    pub tenants: Arc<dyn Tenants>,
    pub definitions: Arc<dyn Definitions>,
    pub states: Arc<dyn TenantStates>,
    pub allowance: Arc<dyn Allowance>,
    pub tokens: Arc<dyn TokenCache>,
    pub records: Arc<dyn OperatorStore>,
    pub announcements: Arc<dyn Announcements>,
}

impl Stores {
    /// The ports of a store that implements all of them.
    fn of<S>(store: Arc<S>) -> Self
    where
        S: Ledger
            + Sweeps
            + Deliveries
            + Due
            + Tenants
            + Definitions
            + TenantStates
            + Allowance
            + TokenCache
            + OperatorStore
            + Announcements
            + 'static,
    {
        Self {
            ledger: store.clone(),
            sweeps: store.clone(),
            deliveries: store.clone(),
            due: store.clone(),
            tenants: store.clone(),
            definitions: store.clone(),
            states: store.clone(),
            allowance: store.clone(),
            tokens: store.clone(),
            records: store.clone(),
            announcements: store,
        }
    }
}

/// A kind of store.
#[async_trait]
pub trait Backend: Sized + Send + Sync {
    /// A new, empty one.
    async fn new() -> Self;

    /// Its ports.
    fn stores(&self) -> Stores;

    /// The ports of the same store over a connection that loses the first answer to each write, after the write took
    /// effect. `None` if it has no connection.
    fn losing_answers(&self) -> Stores {
        self.stores()
    }

    /// Configures a tenant, as an operator does.
    async fn configure(&self, tenant: &Tenant) {
        self.stores().records.put_tenant(tenant).await.unwrap();
    }

    /// All configured tenants, as an operator sees them.
    async fn list(&self) -> Vec<Tenant> {
        self.stores().records.list_tenants().await.unwrap()
    }

    /// Removes a tenant, as an operator does. Returns whether it existed.
    async fn remove(&self, tenant: &TenantId) -> bool {
        self.stores().records.remove_tenant(tenant).await.unwrap()
    }

    /// The daily maintenance of the store or its environment.
    async fn expire(&self, now: Timestamp) {
        self.stores().records.expire_deliveries(now).await.unwrap();
    }

    /// The whole content of the store, each row as text.
    async fn rows(&self) -> Vec<String>;

    /// The same store, opened by a new process.
    async fn restart(self) -> Self;
}

/// What is due, of all kinds.
async fn due(stores: &Stores, now: Timestamp) -> Vec<DueItem> {
    due_of_each(stores, now, 100).await
}

/// What is due, of all kinds, up to `each` per tenant and kind.
async fn due_of_each(stores: &Stores, now: Timestamp, each: usize) -> Vec<DueItem> {
    let due = stores.due.due(now, &Kind::ALL, each).await.unwrap();
    due.into_iter().map(|one| one.item).collect()
}

/// Configures a tenant whose poll is never due in a test, so that it does not appear among the due items.
async fn quiet_tenant(backend: &impl Backend, id: &str) {
    backend.configure(&tenant(id)).await;
    let mut state = TenantState::new(at(1.0e9));
    state.version = 1;
    backend
        .stores()
        .states
        .save_state(&id.into(), &state)
        .await
        .unwrap();
}

/// The one list of all cases, run for a backend.
macro_rules! suite {
    ($name:ident, $backend:ty) => {
        suite! { @ $name, $backend,
            ledger: an_invitation_is_inserted_once, of_many_inserts_one_is_new, every_field_reads_back,
                what_is_not_there_is_none, a_save_needs_the_version_before, of_many_saves_of_one_version_one_wins,
                no_change_is_lost_between_many, keys_are_apart, the_invitations_of_applications,
                a_reference_is_bound_for_good, of_many_bindings_one_wins,
                what_was_made_first_is_used, of_many_makers_one_wins, waiting_are_the_watched_of_the_assessment;
            sweeps: a_sweep_rests_until_it_is_armed, arming_brings_forward_and_never_back, a_sweep_is_saved_as_it_was_loaded,
                a_sweep_armed_meanwhile_stays_due, many_armings_leave_the_earliest, sweeps_are_apart;
            deliveries: a_delivery_is_due_until_it_is_settled, a_delivery_that_a_queue_keeps_is_not_due,
                the_same_call_again_is_one_delivery,
                a_handled_one_that_comes_again_is_due_again, a_parked_one_that_comes_again_is_due_again,
                handled_ones_are_forgotten_in_the_end, the_parked_ones_newest_first, settling_keeps_the_tries, of_many_of_one_call_one_is_stored;
            announcements: a_hire_is_recorded_once, a_change_needs_the_version_before,
                every_field_of_an_announcement_reads_back, hires_are_apart, an_announcement_is_due_for_its_next_step,
                announcements_are_listed_newest_first;
            tenants: a_tenant_is_what_was_last_configured, a_state_is_saved_by_version, every_field_of_a_state_reads_back,
                a_removed_tenants_state_does_not_come_back, of_many_states_of_one_version_one_wins, tenants_are_listed_by_name;
            definitions: a_definition_stays_as_it_was_saved, definitions_are_apart, a_removed_tenants_definitions_go;
            allowance: calls_are_taken_up_to_the_ceiling, days_and_tenants_are_apart, many_takers_never_exceed_the_ceiling,
                a_lower_ceiling_refuses_what_a_higher_one_gave;
            tokens: the_last_token_saved_is_found, a_removed_tenants_token_goes_and_no_others;
            due: a_new_tenant_is_due, a_tenant_is_due_when_its_state_says, an_invitation_is_due_for_its_step,
                a_watched_or_ended_invitation_is_not_due, a_sweep_is_due_when_armed, no_more_of_each_tenant_and_kind_than_asked_for,
                a_crowd_hides_no_other_item, only_what_is_asked_for_is_found,
                a_step_that_moves_is_due_at_its_new_time_only, the_longest_due_comes_first,
                a_paused_tenant_is_due_for_reports_and_deliveries_only,
                a_removed_tenant_is_not_due_and_its_invitations_stay;
            records: all_invitations_page_by_page, invitations_by_filter, states_are_counted, the_longest_due_is_counted,
                deliveries_with_their_state, what_was_done_is_kept_in_order, an_erased_candidate_is_gone, nothing_in_the_store_names_an_erased_candidate,
                an_erased_candidate_does_not_come_back, nothing_is_bound_for_an_erased_candidate;
            lost_answers: an_invitation_is_new_and_its_changes_are_saved, a_reference_is_ours_and_what_was_made_is_used,
                a_polls_state_is_saved, a_sweep_is_armed_once_and_saved, a_hire_is_new_and_its_changes_are_saved,
                calls_are_taken_once, a_delivery_is_stored_and_settled, what_an_operator_does_happens_once;
            operations: the_status_counts_what_waits_and_what_failed, the_latest_invitations_come_first, each_event_is_followed_once, an_application_is_explained,
                a_retry_makes_what_failed_due, a_new_round_follows_a_cancelled_one, deliveries_are_processed_again,
                an_unmatched_delivery_is_linked_or_discarded, a_tenant_is_due_at_once, a_hire_is_sent_again,
                an_erasure_leaves_a_tombstone, a_retention_time_is_set_and_applied,
                a_setting_is_shown_before_it_is_saved, a_tenant_is_paused_and_resumed_once, a_removed_tenant_is_not_found,
                tenants_are_made_to_match_a_file, an_account_stays_while_its_invitations_are_open, a_mapping_is_paused_and_removed;
            restart: everything_is_there_after_a_restart, versions_count_on_after_a_restart;
        }
    };
    (@ $name:ident, $backend:ty, $($port:ident: $($case:ident),+;)+) => {
        mod $name {
            $(mod $port {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    use $crate::conformance::{$port, Backend};
                    $port::$case(<$backend as Backend>::new().await).await;
                })+
            })+
        }
    };
}

suite!(on_sqlite, crate::conformance::sqlite::Sqlite);
suite!(on_dynamodb, crate::conformance::dynamodb::DynamoDb);
// The simulation's store must behave like the others.
suite!(in_memory, crate::conformance::memory::InMemory);
