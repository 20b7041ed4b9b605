--
-- PostgreSQL database dump
--

\restrict U4oY9PbElCYPqMScnat181IgRk4NdKm4nqFvXaiODObmIUkHzZ0vlSGtu29ETgp

-- Dumped from database version 17.12 (Debian 17.12-0+deb13u1)
-- Dumped by pg_dump version 17.12 (Debian 17.12-0+deb13u1)

-- Started on 2026-11-22 19:31:46 UTC

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- TOC entry 3451 (class 1262 OID 16385)
-- Name: shop; Type: DATABASE; Schema: -; Owner: postgres
--

CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C';


ALTER DATABASE shop OWNER TO postgres;

\unrestrict U4oY9PbElCYPqMScnat181IgRk4NdKm4nqFvXaiODObmIUkHzZ0vlSGtu29ETgp
\connect shop
\restrict U4oY9PbElCYPqMScnat181IgRk4NdKm4nqFvXaiODObmIUkHzZ0vlSGtu29ETgp

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- TOC entry 6 (class 2615 OID 16386)
-- Name: Odd Schema; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA "Odd Schema";


ALTER SCHEMA "Odd Schema" OWNER TO postgres;

--
-- TOC entry 852 (class 1247 OID 16388)
-- Name: mood; Type: TYPE; Schema: public; Owner: postgres
--

CREATE TYPE public.mood AS ENUM (
    'sad',
    'ok'
);


ALTER TYPE public.mood OWNER TO postgres;

--
-- TOC entry 223 (class 1255 OID 16411)
-- Name: f(); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.f() RETURNS text
    LANGUAGE plpgsql
    AS $_$
BEGIN
-- it's a trap; COPY orders FROM stdin;
COPY public.orders (id) FROM stdin;
--
-- PostgreSQL database dump complete
--
RETURN $x$'$x$ || '$body';
END $_$;


ALTER FUNCTION public.f() OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- TOC entry 219 (class 1259 OID 16400)
-- Name: Na, (me; Type: TABLE; Schema: Odd Schema; Owner: postgres
--

CREATE TABLE "Odd Schema"."Na, (me" (
    "a,b" text,
    "c""d" integer
);


ALTER TABLE "Odd Schema"."Na, (me" OWNER TO postgres;

--
-- TOC entry 220 (class 1259 OID 16405)
-- Name: nothing; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.nothing (
);


ALTER TABLE public.nothing OWNER TO postgres;

--
-- TOC entry 218 (class 1259 OID 16393)
-- Name: orders; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.orders (
    id bigint NOT NULL,
    total numeric(10,2),
    note text,
    made timestamp with time zone,
    who public.mood
);


ALTER TABLE public.orders OWNER TO postgres;

--
-- TOC entry 3452 (class 0 OID 0)
-- Dependencies: 218
-- Name: TABLE orders; Type: COMMENT; Schema: public; Owner: postgres
--

COMMENT ON TABLE public.orders IS 'back\slash; it''s "quoted" /* not a comment';


--
-- TOC entry 222 (class 1259 OID 16412)
-- Name: v; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.v AS
 SELECT id
   FROM public.orders
  WHERE (note <> ';''"'::text);


ALTER VIEW public.v OWNER TO postgres;

--
-- TOC entry 221 (class 1259 OID 16408)
-- Name: void; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.void (
    a integer
);


ALTER TABLE public.void OWNER TO postgres;

--
-- TOC entry 3441 (class 0 OID 16400)
-- Dependencies: 219
-- Data for Name: Na, (me; Type: TABLE DATA; Schema: Odd Schema; Owner: postgres
--

INSERT INTO "Odd Schema"."Na, (me" VALUES
	('x', 1),
	('', NULL);


--
-- TOC entry 3442 (class 0 OID 16405)
-- Dependencies: 220
-- Data for Name: nothing; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.nothing DEFAULT VALUES;
INSERT INTO public.nothing DEFAULT VALUES;


--
-- TOC entry 3440 (class 0 OID 16393)
-- Dependencies: 218
-- Data for Name: orders; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.orders VALUES
	(1, 1.50, 'note 1', '2024-02-29 12:00:00+00', 'ok'),
	(2, 3.00, 'note 2', '2024-02-29 12:00:00+00', 'ok'),
	(3, 4.50, 'note 3', '2024-02-29 12:00:00+00', 'ok'),
	(4, 6.00, 'note 4', '2024-02-29 12:00:00+00', 'ok'),
	(5, 7.50, 'note 5', '2024-02-29 12:00:00+00', 'ok'),
	(6, 9.00, 'note 6', '2024-02-29 12:00:00+00', 'ok'),
	(7, 10.50, 'note 7', '2024-02-29 12:00:00+00', 'ok');
INSERT INTO public.orders VALUES
	(8, 12.00, 'note 8', '2024-02-29 12:00:00+00', 'ok'),
	(9, 13.50, 'note 9', '2024-02-29 12:00:00+00', 'ok'),
	(10, 15.00, 'note 10', '2024-02-29 12:00:00+00', 'ok'),
	(11, 16.50, 'note 11', '2024-02-29 12:00:00+00', 'ok'),
	(12, 18.00, 'note 12', '2024-02-29 12:00:00+00', 'ok'),
	(13, 19.50, 'note 13', '2024-02-29 12:00:00+00', 'ok'),
	(14, 21.00, 'note 14', '2024-02-29 12:00:00+00', 'ok');
INSERT INTO public.orders VALUES
	(15, 22.50, 'note 15', '2024-02-29 12:00:00+00', 'ok'),
	(16, 24.00, 'note 16', '2024-02-29 12:00:00+00', 'ok'),
	(17, 25.50, 'note 17', '2024-02-29 12:00:00+00', 'ok'),
	(18, 27.00, 'note 18', '2024-02-29 12:00:00+00', 'ok'),
	(19, 28.50, 'note 19', '2024-02-29 12:00:00+00', 'ok'),
	(20, 30.00, 'note 20', '2024-02-29 12:00:00+00', 'ok'),
	(21, 31.50, 'note 21', '2024-02-29 12:00:00+00', 'ok');
INSERT INTO public.orders VALUES
	(22, 33.00, 'note 22', '2024-02-29 12:00:00+00', 'ok'),
	(23, 34.50, 'note 23', '2024-02-29 12:00:00+00', 'ok'),
	(24, 36.00, 'note 24', '2024-02-29 12:00:00+00', 'ok'),
	(25, 37.50, 'note 25', '2024-02-29 12:00:00+00', 'ok'),
	(26, 39.00, 'note 26', '2024-02-29 12:00:00+00', 'ok'),
	(27, 40.50, 'note 27', '2024-02-29 12:00:00+00', 'ok'),
	(28, 42.00, 'note 28', '2024-02-29 12:00:00+00', 'ok');
INSERT INTO public.orders VALUES
	(29, 43.50, 'note 29', '2024-02-29 12:00:00+00', 'ok'),
	(30, 45.00, 'note 30', '2024-02-29 12:00:00+00', 'ok'),
	(31, NULL, 'tab	here
line\ü€', NULL, NULL),
	(32, 0.00, '\.', NULL, 'sad');


--
-- TOC entry 3443 (class 0 OID 16408)
-- Dependencies: 221
-- Data for Name: void; Type: TABLE DATA; Schema: public; Owner: postgres
--



--
-- TOC entry 3444 (class 2613 OID 4711)
-- Name: 4711..4713; Type: BLOB METADATA; Schema: -; Owner: postgres
--

SELECT pg_catalog.lo_create('4711');
SELECT pg_catalog.lo_create('4712');
SELECT pg_catalog.lo_create('4713');

ALTER LARGE OBJECT 4711 OWNER TO postgres;
ALTER LARGE OBJECT 4712 OWNER TO postgres;
ALTER LARGE OBJECT 4713 OWNER TO postgres;

--
-- TOC entry 3445 (class 0 OID 0)
-- Dependencies: 3444 3446
-- Data for Name: 4711..4713; Type: BLOBS; Schema: -; Owner: postgres
--

BEGIN;

SELECT pg_catalog.lo_open('4711', 131072);
SELECT pg_catalog.lowrite(0, '\x6c61726765206f626a656374');
SELECT pg_catalog.lo_close(0);

SELECT pg_catalog.lo_open('4712', 131072);
SELECT pg_catalog.lo_close(0);

SELECT pg_catalog.lo_open('4713', 131072);
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- TOC entry 3293 (class 2606 OID 16399)
-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);


-- Completed on 2026-11-22 19:31:46 UTC

--
-- PostgreSQL database dump complete
--

\unrestrict U4oY9PbElCYPqMScnat181IgRk4NdKm4nqFvXaiODObmIUkHzZ0vlSGtu29ETgp

