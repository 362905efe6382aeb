//! The tenants' credentials. During a rotation, the valid ones and those in our secret store differ for a while. A
//! credential's text has its owner, so that one that is used at the wrong place is detected.

/// All credentials.
pub struct Vault {
    tenants: Vec<Keys>,
}

/// One tenant's credentials.
#[derive(Clone, Copy, Default)]
struct Keys {
    /// The generation that is valid outside.
    valid: u32,
    /// The generation that our secret store has.
    stored: u32,
    /// The generation of the callback token.
    callback: u32,
}

impl Vault {
    /// The first generation of everything.
    pub fn new(tenants: usize) -> Self {
        Self {
            tenants: vec![Keys::default(); tenants],
        }
    }

    /// The customer creates new credentials. The old ones are refused from now on.
    pub fn rotate(&mut self, tenant: usize) {
        self.tenants[tenant].valid += 1;
    }

    /// The operator stores them.
    pub fn follow(&mut self, tenant: usize) {
        self.tenants[tenant].stored = self.tenants[tenant].valid;
    }

    /// The operator creates a new callback token. The previous one stays valid for a while.
    pub fn renew_callback(&mut self, tenant: usize) {
        self.tenants[tenant].callback += 1;
    }

    /// A tenant's credentials in our secret store.
    pub fn stored(&self, tenant: usize) -> String {
        credential(tenant, self.tenants[tenant].stored)
    }

    /// The owner of a credential, and whether it is valid.
    pub fn check(&self, credential: &str) -> Option<(usize, bool)> {
        let mut parts = credential.rsplit('-');
        let generation: u32 = parts.next()?.parse().ok()?;
        let tenant: usize = parts.next()?.parse().ok()?;
        let keys = self.tenants.get(tenant)?;
        Some((tenant, keys.valid == generation))
    }

    /// The callback tokens: the present one and the previous one.
    pub fn callback(&self, tenant: usize) -> (String, Option<String>) {
        let now = self.tenants[tenant].callback;
        (
            token(tenant, now),
            now.checked_sub(1).map(|before| token(tenant, before)),
        )
    }
}

fn credential(tenant: usize, generation: u32) -> String {
    format!("key-{tenant}-{generation}")
}

fn token(tenant: usize, generation: u32) -> String {
    format!("{:064x}", (tenant + 1) * 1000 + generation as usize)
}
