create table customers (
    id text primary key,
    name text not null,
    email text not null unique,
    tier text not null check (tier in ('small', 'medium', 'vip')),
    street text not null,
    postcode text not null,
    city text not null,
    country text not null,
    language text not null
);
create table products (
    sku text primary key,
    name text not null,
    price_cents integer not null check (price_cents > 0)
);
create table orders (
    id text primary key,
    customer_id text not null references customers (id) on delete cascade,
    placed_at text not null,
    status text not null check (status in ('placed', 'packed', 'shipped', 'delivered', 'returned', 'cancelled')),
    total_cents integer not null,
    note text not null,
    street text not null,
    postcode text not null,
    city text not null,
    country text not null
);
create table order_lines (
    order_id text not null references orders (id) on delete cascade,
    sku text not null references products (sku),
    quantity integer not null check (quantity > 0),
    primary key (order_id, sku)
);
create table refunds (
    id integer primary key,
    order_id text not null references orders (id) on delete cascade,
    amount_cents integer not null check (amount_cents > 0),
    reason text not null,
    made_at text not null
);
create table replacements (
    id integer primary key,
    order_id text not null references orders (id) on delete cascade,
    sku text not null references products (sku),
    quantity integer not null,
    reason text not null
);
create table vouchers (
    code text primary key,
    customer_id text not null references customers (id) on delete cascade,
    value_cents integer not null check (value_cents > 0),
    reason text not null
);
create table subscriptions (
    customer_id text primary key references customers (id) on delete cascade,
    plan text not null,
    status text not null check (status in ('running', 'ended')),
    reason text not null default ''
);
create table invoices (
    id text primary key,
    order_id text not null references orders (id) on delete cascade,
    issued_at text not null,
    status text not null check (status in ('open', 'paid')),
    total_cents integer not null
);
create table credit_notes (
    id integer primary key,
    invoice_id text not null references invoices (id) on delete cascade,
    amount_cents integer not null check (amount_cents > 0),
    reason text not null
);
create table offers (
    id integer primary key,
    customer_id text not null references customers (id) on delete cascade,
    title text not null,
    value_cents integer not null,
    discount_percent integer not null,
    status text not null check (status in ('draft', 'sent'))
);
create table tickets (
    id text primary key,
    customer_id text not null,
    order_id text,
    received_at text not null,
    subject text not null,
    body text not null,
    category text not null default 'new',
    priority text not null default 'normal',
    status text not null default 'open',
    team text not null default 'desk'
);
create table ticket_notes (
    id integer primary key,
    ticket_id text not null references tickets (id) on delete cascade,
    note text not null
);
create table mails (
    id integer primary key,
    ticket_id text,
    recipient text not null,
    subject text not null,
    sent_at text not null
);
create index orders_customer on orders (customer_id);
create index refunds_order on refunds (order_id);
