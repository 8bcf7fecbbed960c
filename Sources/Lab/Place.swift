import Glibc

/// A city where people of the generated world live.
struct City: Sendable {
    var name: StaticString
    /// ISO 3166-1 alpha-2.
    var country: StaticString
    var latitude: Double
    var longitude: Double
    /// Minutes ahead of UTC.
    var zone: Int
    /// Share of the population, not normalised.
    var weight: Double

    init(_ name: StaticString, _ country: StaticString, _ latitude: Double, _ longitude: Double, _ zone: Int, _ weight: Double) {
        self.name = name
        self.country = country
        self.latitude = latitude
        self.longitude = longitude
        self.zone = zone
        self.weight = weight
    }
}

/// The cities, and which country each is in. Country shares follow the RBA data set (Wiefling and others 2022)
/// for the five largest.
enum Place {
    static let cities: [City] = [
        City("Oslo", "NO", 59.91, 10.75, 60, 0.180), City("Bergen", "NO", 60.39, 5.32, 60, 0.085),
        City("Trondheim", "NO", 63.43, 10.39, 60, 0.070), City("Stavanger", "NO", 58.97, 5.73, 60, 0.055),
        City("Tromsø", "NO", 69.65, 18.96, 60, 0.033),
        City("New York", "US", 40.71, -74.01, -300, 0.070), City("Los Angeles", "US", 34.05, -118.24, -480, 0.055),
        City("Chicago", "US", 41.88, -87.63, -360, 0.043), City("Houston", "US", 29.76, -95.37, -360, 0.035),
        City("Atlanta", "US", 33.75, -84.39, -300, 0.030), City("Seattle", "US", 47.61, -122.33, -480, 0.025),
        City("Denver", "US", 39.74, -104.99, -420, 0.020),
        City("Moscow", "RU", 55.76, 37.62, 180, 0.030), City("Saint Petersburg", "RU", 59.94, 30.31, 180, 0.016),
        City("Novosibirsk", "RU", 55.03, 82.92, 420, 0.008),
        City("São Paulo", "BR", -23.55, -46.63, -180, 0.020), City("Rio de Janeiro", "BR", -22.91, -43.17, -180, 0.011),
        City("Recife", "BR", -8.05, -34.88, -180, 0.007),
        City("Berlin", "DE", 52.52, 13.41, 60, 0.013), City("Munich", "DE", 48.14, 11.58, 60, 0.008),
        City("Hamburg", "DE", 53.55, 9.99, 60, 0.008),
        City("London", "GB", 51.51, -0.13, 0, 0.014), City("Manchester", "GB", 53.48, -2.24, 0, 0.006),
        City("Stockholm", "SE", 59.33, 18.07, 60, 0.010), City("Gothenburg", "SE", 57.71, 11.97, 60, 0.005),
        City("Copenhagen", "DK", 55.68, 12.57, 60, 0.009), City("Helsinki", "FI", 60.17, 24.94, 120, 0.006),
        City("Paris", "FR", 48.86, 2.35, 60, 0.009), City("Lyon", "FR", 45.76, 4.84, 60, 0.003),
        City("Madrid", "ES", 40.42, -3.70, 60, 0.005), City("Barcelona", "ES", 41.39, 2.17, 60, 0.004),
        City("Rome", "IT", 41.90, 12.50, 60, 0.004), City("Milan", "IT", 45.46, 9.19, 60, 0.004),
        City("Amsterdam", "NL", 52.37, 4.90, 60, 0.006), City("Warsaw", "PL", 52.23, 21.01, 60, 0.006),
        City("Kyiv", "UA", 50.45, 30.52, 120, 0.005), City("Bucharest", "RO", 44.43, 26.10, 120, 0.004),
        City("Lisbon", "PT", 38.72, -9.14, 0, 0.003), City("Dublin", "IE", 53.35, -6.26, 0, 0.002),
        City("Zurich", "CH", 47.37, 8.54, 60, 0.003), City("Vienna", "AT", 48.21, 16.37, 60, 0.002),
        City("Prague", "CZ", 50.08, 14.44, 60, 0.003), City("Istanbul", "TR", 41.01, 28.98, 180, 0.005),
        City("Mumbai", "IN", 19.08, 72.88, 330, 0.006), City("Delhi", "IN", 28.61, 77.21, 330, 0.005),
        City("Bengaluru", "IN", 12.97, 77.59, 330, 0.004), City("Beijing", "CN", 39.90, 116.41, 480, 0.004),
        City("Shanghai", "CN", 31.23, 121.47, 480, 0.004), City("Tokyo", "JP", 35.68, 139.69, 540, 0.004),
        City("Osaka", "JP", 34.69, 135.50, 540, 0.002), City("Seoul", "KR", 37.57, 126.98, 540, 0.003),
        City("Singapore", "SG", 1.35, 103.82, 480, 0.002), City("Jakarta", "ID", -6.21, 106.85, 420, 0.005),
        City("Hanoi", "VN", 21.03, 105.85, 420, 0.003), City("Manila", "PH", 14.60, 120.98, 480, 0.003),
        City("Sydney", "AU", -33.87, 151.21, 600, 0.004), City("Melbourne", "AU", -37.81, 144.96, 600, 0.003),
        City("Auckland", "NZ", -36.85, 174.76, 720, 0.001), City("Toronto", "CA", 43.65, -79.38, -300, 0.005),
        City("Vancouver", "CA", 49.28, -123.12, -480, 0.003), City("Mexico City", "MX", 19.43, -99.13, -360, 0.004),
        City("Buenos Aires", "AR", -34.60, -58.38, -180, 0.003), City("Bogotá", "CO", 4.71, -74.07, -300, 0.002),
        City("Santiago", "CL", -33.45, -70.67, -240, 0.002), City("Johannesburg", "ZA", -26.20, 28.05, 120, 0.002),
        City("Lagos", "NG", 6.52, 3.38, 60, 0.002), City("Cairo", "EG", 30.04, 31.24, 120, 0.002),
        City("Nairobi", "KE", -1.29, 36.82, 180, 0.001), City("Dubai", "AE", 25.20, 55.27, 240, 0.002),
        City("Tel Aviv", "IL", 32.09, 34.78, 120, 0.002),
    ]
    static let weights = cities.map(\.weight)

    /// Countries are numbered in the order of the table, where each country's cities stand together.
    static let countryOfCity: [Int] = {
        var numbers: [Int] = []
        for (index, city) in cities.enumerated() {
            let same = index > 0 && cities[index - 1].country.description == city.country.description
            numbers.append(index == 0 ? 0 : numbers[index - 1] + (same ? 0 : 1))
        }
        return numbers
    }()
    static let citiesOfCountry: [[Int]] = {
        var lists = Array(repeating: [Int](), count: countryOfCity[countryOfCity.count - 1] + 1)
        for (city, country) in countryOfCity.enumerated() { lists[country].append(city) }
        return lists
    }()

    static func currency(ofCity city: Int) -> StaticString {
        switch cities[city].country.description {
        case "NO": "NOK"
        case "US": "USD"
        case "GB": "GBP"
        case "SE": "SEK"
        case "DK": "DKK"
        case "BR": "BRL"
        default: "EUR"
        }
    }

    static let currencies = cities.indices.map { currency(ofCity: $0) }

    /// Great-circle distance, haversine, on a sphere of 6,371 km.
    static func kilometres(_ a: Int, _ b: Int) -> Double {
        let radians = Double.pi / 180
        let (from, to) = (cities[a], cities[b])
        let dLatitude = (to.latitude - from.latitude) * radians
        let dLongitude = (to.longitude - from.longitude) * radians
        let h = pow(sin(dLatitude / 2), 2)
            + cos(from.latitude * radians) * cos(to.latitude * radians) * pow(sin(dLongitude / 2), 2)
        return 2 * 6371 * asin(min(1, sqrt(h)))
    }
}
